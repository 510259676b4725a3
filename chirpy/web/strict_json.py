"""Parse JSON strictly (RFC 8259).

Flask's `get_json()` accepts NaN, duplicate keys and UTF-16, and fails with a RecursionError on
30,000 nested brackets. Here each of these is a 400 that says where the JSON is wrong. A truncated
chunked body, which the server does not report, is wrong too: no prefix of a JSON object is one.
"""

import json
import re
from collections import Counter
from decimal import Decimal
from itertools import accumulate
from math import isfinite
from typing import Any, NoReturn

from chirpy.web.json_hints import explain
from chirpy.web.refused import Refused

MAX_DEPTH = 64  # nested brackets; RFC 8259, section 9, lets a parser set a limit
MAX_NUMBER_LENGTH = 100  # characters; a number beyond a double has no agreed meaning (section 6)
INTEGER_LIMIT = 10.0**MAX_NUMBER_LENGTH  # so that 1e308 does not become 309 digits
# A string, also one without an end. The possessive `*+` never backtracks: 64 KiB of quotes would
# otherwise take a minute.
STRING = re.compile(r'"(?:[^"\\]|\\.)*+"?', re.DOTALL)
DEPTH_CHANGES = {"[": 1, "{": 1, "]": -1, "}": -1}


class InvalidJSON(Refused):
    """The request body is not valid JSON."""

    status = 400
    error = "The request body is not valid JSON"


def parse(body: bytes) -> Any:
    """Return the value of the JSON in `body`, which is UTF-8. Raise InvalidJSON (400)."""
    if not body.strip():
        raise InvalidJSON(hint="The request body is empty; send JSON")
    try:
        text = body.decode()
        if is_deeper_than(MAX_DEPTH, text):
            raise InvalidJSON(hint=f"Use at most {MAX_DEPTH} levels of nested brackets")
        return DECODER.decode(text)
    except UnicodeDecodeError as error:
        raise InvalidJSON(hint=f"Byte {error.start + 1} of the request body is not UTF-8") from None
    except json.JSONDecodeError as error:
        raise InvalidJSON(hint=explain(text, error)) from None


def is_deeper_than(limit: int, text: str) -> bool:
    """Return whether brackets are nested deeper than `limit`; most texts have too few to check."""
    if text.count("[") + text.count("{") <= limit:
        return False
    changes = (DEPTH_CHANGES.get(character, 0) for character in STRING.sub("", text))
    return max(accumulate(changes), default=0) > limit


def unique_members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object's members. Raise InvalidJSON for a duplicate key, which is ambiguous."""
    members = dict(pairs)
    if len(members) < len(pairs):
        [(name, _)] = Counter(name for name, _ in pairs).most_common(1)
        raise InvalidJSON(hint=f"The key {json.dumps(name)} occurs twice in one object")
    return members


def parse_integer(digits: str) -> int:
    """Return an integer that every JSON parser can hold. Raise InvalidJSON."""
    if len(digits) > MAX_NUMBER_LENGTH:
        raise InvalidJSON(hint=f"Write a number with at most {MAX_NUMBER_LENGTH} characters")
    return int(digits)


def parse_real(digits: str) -> float:
    """Return a number that a double can hold: an integer if it is one. Raise InvalidJSON.

    1.0 and 1e0 are the integer 1, so that equal numbers are equal in any JSON made of them.
    """
    if len(digits) > MAX_NUMBER_LENGTH or not isfinite(number := float(digits)):
        raise InvalidJSON(hint="A number is too large or too long")
    if not number.is_integer() or abs(number) > INTEGER_LIMIT:
        return number
    exact = Decimal(digits) if number else Decimal()  # it does not take 0e9999999999999999999
    return int(exact) if exact == exact.to_integral_value() else number


def refuse_constant(name: str) -> NoReturn:
    """Raise InvalidJSON for NaN, Infinity and -Infinity, which JSON does not have."""
    raise InvalidJSON(hint=f"{name} is not JSON: write another number, or null")


DECODER = json.JSONDecoder(
    object_pairs_hook=unique_members,
    parse_int=parse_integer,
    parse_float=parse_real,
    parse_constant=refuse_constant,
)
