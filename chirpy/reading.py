"""The one place where a request's body is read, and its JSON understood strictly.

Flask's `get_json()` takes NaN, duplicate keys and UTF-16, hands a cut-off body on as if it were
whole, and falls over 30,000 nested brackets. Here every such body is a 400 that says where it
breaks; one over the limit is a 413, whether it comes with a length or in chunks. The server does
not tell when chunks break off, but no beginning of a JSON object is an object: only blanks can be
missing.
"""

import json
import re
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import suppress
from itertools import accumulate
from math import isfinite
from typing import Any, NoReturn

from flask import Request
from werkzeug.exceptions import ClientDisconnected

from chirpy.errors import Refused

BODY_LIMIT = 64 * 1024  # bytes; a chirp has 140 characters, a webhook a few hundred
READ = "chirpy.body_read"  # in the environ of a request whose body was read, well or not
DEEPEST = 64  # brackets within brackets; RFC 8259, 9 lets a parser set a limit
LONGEST_NUMBER = 100  # digits; what does not fit a double has no agreed meaning (RFC 8259, 6)
# What is no bracket. A string that does not end takes the rest, and `*+` never goes back: 64 KiB of
# quotes would otherwise keep a thread busy for a minute.
STRING = re.compile(r'"(?:[^"\\]|\\.)*+"?', re.DOTALL)


def read_json(request: Request) -> Any:
    """The body as the JSON value it holds, whatever its Content-Type says."""
    return parse(read_body(request))


def read_body(request: Request) -> bytes:
    """The body as the bytes that were sent, all of them.

    Raises Refused: 413 over BODY_LIMIT, 400 when the client hung up before the end.
    """
    length = request.content_length
    if length is not None and length > BODY_LIMIT:
        raise too_large()
    request.environ[READ] = True
    try:
        body = b"".join(pieces(request))
    except (OSError, ClientDisconnected) as error:  # how a server or werkzeug may tell of it
        raise cut_off() from error
    if len(body) > BODY_LIMIT:
        raise too_large()
    if length is not None and len(body) < length:
        raise cut_off()
    return body


def pieces(request: Request) -> Iterator[bytes]:
    """What arrives of the body, until it ends or is over the limit."""
    wanted = BODY_LIMIT + 1
    while wanted and (piece := request.stream.read(wanted)):
        wanted -= len(piece)
        yield piece


def read_rest(request: Request) -> None:
    """Read the body of an answered request, up to the limit, so that its connection can serve on.

    The server would close it without a word, and the client's next request would be lost. Whoever
    asks before sending (`Expect`) is told by the answer not to.
    """
    length = request.content_length or 0
    has_body = length > 0 or "Transfer-Encoding" in request.headers
    if READ in request.environ or not has_body or length > BODY_LIMIT:
        return
    if "Expect" not in request.headers:
        with suppress(OSError, ClientDisconnected):
            deque(pieces(request), maxlen=0)


def parse(body: bytes) -> Any:
    """Read strict JSON (RFC 8259) in UTF-8; raises Refused with the place where it breaks."""
    if not body.strip():
        raise not_json("the body is empty")
    try:
        text = body.decode()
        if deeper_than(DEEPEST, text):
            raise not_json(f"more than {DEEPEST} brackets within brackets")
        return DECODER.decode(text)
    except UnicodeDecodeError as error:
        raise not_json(f"byte {error.start + 1} is not UTF-8") from None
    except json.JSONDecodeError as error:
        raise not_json(f"{error.msg} at line {error.lineno}, column {error.colno}") from None


def deeper_than(limit: int, text: str) -> bool:
    """Whether brackets stand more than `limit` deep; most texts have too few to ask."""
    if text.count("[") + text.count("{") <= limit:
        return False
    steps = ({"[": 1, "{": 1, "]": -1, "}": -1}.get(sign, 0) for sign in STRING.sub("", text))
    return max(accumulate(steps)) > limit


def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object's members; a name given twice has two meanings, so it has none."""
    members = dict(pairs)
    if len(members) < len(pairs):
        twice, _ = Counter(name for name, _ in pairs).most_common(1)[0]
        raise not_json(f"the key {json.dumps(twice)} stands twice in one object")
    return members


def whole_number(digits: str) -> int:
    """An integer of a length that every reader can hold."""
    if len(digits) > LONGEST_NUMBER:
        raise not_json("a number is too long")
    return int(digits)


def real_number(digits: str) -> float:
    """A number that fits a double."""
    if len(digits) > LONGEST_NUMBER or not isfinite(number := float(digits)):
        raise not_json("a number is too large or too long")
    return number


def no_number(name: str) -> NoReturn:
    """Refuse NaN and the infinities, which JSON does not have."""
    raise not_json(f"{name} is not JSON")


def not_json(reason: str) -> Refused:
    """400 for a body that is not JSON."""
    return Refused(400, "The body is not valid JSON", hint=f"Read as JSON, {reason}")


def too_large() -> Refused:
    """413 for a body over the limit."""
    return Refused(413, f"The body is larger than {BODY_LIMIT} bytes")


def cut_off() -> Refused:
    """400 for a body that ended before it was whole."""
    return Refused(400, "The body ended before it was complete", hint="Send the request again")


DECODER = json.JSONDecoder(
    object_pairs_hook=unique,
    parse_int=whole_number,
    parse_float=real_number,
    parse_constant=no_number,
)
