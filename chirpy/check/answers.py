"""An answer of the judged server, and what a check expects of it."""

import json
import re
from collections.abc import Callable
from typing import Any, Self

from chirpy.check.client import Response
from chirpy.check.requests import Request

SHOWN = 400  # characters of a body that a report shows
CONTROL = re.compile("[\0-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
WORD = re.compile("[!-~]{1,4000}")  # an id or a token, which has to fit into a header
MISSING = object()


class Unexpected(Exception):
    """An answer is not what the check expects."""

    def __init__(self, answer: "Answer") -> None:
        super().__init__(f"{answer.request.method} {answer.request.target}: {answer.shown}")
        self.answer = answer


class Answer:
    """An answer, or the reason why there is none. Each expectation that is asked for is kept."""

    def __init__(
        self, request: Request, response: Response | None, problem: str, spell: Callable[[str], str]
    ) -> None:
        self.request, self.response, self.problem, self.spell = request, response, problem, spell
        self.expected: list[str] = []
        self.status = response.status if response else 0
        self.body = response.body if response else b""
        self.text = self.body.decode(errors="replace")
        self.json = read_json(self.text)

    @property
    def shown(self) -> str:
        """The answer in one line, which cannot control a terminal."""
        text = self.problem or f"{self.status} {self.text.strip() or '(empty body)'}"
        short = f"{text[:SHOWN]}…" if len(text) > SHOWN else text
        return CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", short)

    def expect(self, condition: object, expected: str) -> Self:
        """Go on if the condition holds, otherwise raise Unexpected."""
        self.expected.append(expected)
        if not condition:
            raise Unexpected(self)
        return self

    def has_status(self, *statuses: int) -> Self:
        """Expect one of these statuses."""
        return self.expect(self.status in statuses, f"status {' or '.join(map(str, statuses))}")

    def is_success(self) -> Self:
        """Expect a status that acknowledges a delivery."""
        return self.expect(200 <= self.status < 300, "status 2xx")

    def contains(self, text: str) -> Self:
        """Expect this text in the body."""
        return self.expect(text in self.text, f"a body with {text}")

    def has_header(self, name: str, value: str = "") -> Self:
        """Expect a header whose value contains `value`, in upper or lower case."""
        received = self.header(name).lower().replace(" ", "")
        found = received and value.lower().replace(" ", "") in received
        return self.expect(found, f"the header {name}{value and ': '}{value}")

    def header(self, name: str) -> str:
        """Return the value of a header, empty if there is none."""
        return (self.response.headers.get(name) or "") if self.response else ""

    def has(self, name: str, value: object) -> Self:
        """Expect a JSON object with this value. `name` is written as in the Go edition."""
        expected = f"JSON with {json.dumps({self.spell(name): value}, ensure_ascii=False)}"
        return self.expect(self.member(name) == value, expected)

    def matches(self, name: str, pattern: str) -> Self:
        """Expect a JSON object with a text that matches a regular expression."""
        value = self.member(name)
        found = isinstance(value, str) and re.fullmatch(pattern, value)
        return self.expect(found, f"JSON with {self.spell(name)} like {pattern}")

    def has_keys(self, *names: str) -> Self:
        """Expect a JSON object with these keys, none of which is empty."""
        missing = [name for name in names if self.member(name) in (MISSING, None, "")]
        return self.expect(not missing, f"JSON with {', '.join(map(self.spell, names))}")

    def word(self, name: str) -> str:
        """Return an id or a token from the JSON object."""
        value = self.member(name)
        is_word = isinstance(value, str) and WORD.fullmatch(value)
        self.expect(is_word, f"JSON with a text {self.spell(name)} without spaces")
        return str(value)

    def member(self, name: str) -> Any:
        """Return a member of the JSON object, MISSING if there is none."""
        return self.json.get(self.spell(name), MISSING) if isinstance(self.json, dict) else MISSING

    def objects(self) -> list[dict[str, Any]]:
        """Expect an array of objects, and return it."""
        is_list = isinstance(self.json, list) and all(isinstance(item, dict) for item in self.json)
        self.expect(is_list, "a JSON array of objects")
        return list(self.json)


def read_json(text: str) -> Any:
    """Return what the JSON says, MISSING if it is not JSON."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return MISSING
