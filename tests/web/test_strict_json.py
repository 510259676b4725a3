"""Invalid JSON is a quick 400 that says where it is wrong; a large body is a 413."""

import json
import re
from time import thread_time

import pytest
from flask.testing import FlaskClient

from tests.support.assertions import assert_error, database_unchanged
from tests.support.bodies import BODY_LIMIT, BodySender, chunked, with_length, with_wrong_length
from tests.support.databases import Sql
from tests.support.json_routes import CREDENTIALS, AuthorizedClient, JsonRoute, every_json_route

INVALID: dict[str, bytes] = {
    "nothing": b"",
    "whitespace": b" \r\n\t",
    "a word": b"hello",
    "a form": b"email=walt%40example.com&password=04234",
    "truncated": b'{"email": "walt@exam',
    "a trailing comma": b'{"email": "walt@example.com",}',
    "two values": b"{} {}",
    "an unquoted key": b"{email: 1}",
    "NaN": b'{"email": NaN}',
    "Infinity": b'{"email": Infinity}',
    "1e999": b'{"email": 1e999}',
    "an integer of 5,000 digits": b'{"email": ' + b"9" * 5000 + b"}",
    "a fraction of 5,000 digits": b'{"email": 0.' + b"9" * 5000 + b"}",
    "a duplicate key": b'{"email": "a@example.com", "email": "b@example.com"}',
    "a nested duplicate key": b'{"more": [{"a": 1, "b": 2, "a": 1}]}',
    "65 nested brackets": b"[" * 65 + b"]" * 65,
    "30,000 open brackets": b"[" * 30_000,
    "only an open string, of 65 brackets": b'"' + b"[" * 65,
    "10,000 nested objects": b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    "UTF-16 without a byte order mark": json.dumps(CREDENTIALS).encode("utf-16-le"),
    "a byte order mark": b"\xef\xbb\xbf" + json.dumps(CREDENTIALS).encode(),
    "Latin-1": b'{"email": "zo\xeb@example.com"}',
    "a surrogate in UTF-8": b'{"email": "\xed\xa0\x80"}',
    "a raw NUL": b"\0",
    "a raw newline in a string": b'{"email": "\n"}',
    "an unknown escape": rb'{"email": "\x41"}',
    "half an escape": rb'{"email": "\u00"}',
}


@every_json_route
@pytest.mark.parametrize("body", INVALID.values(), ids=INVALID)
def test_invalid_json_is_400(
    authorized: AuthorizedClient, sql: Sql, route: JsonRoute, body: bytes
) -> None:
    with database_unchanged(sql):
        response = authorized.send(route, data=body)

    error = assert_error(response, 400)
    assert error["error"] == "The request body is not valid JSON"
    assert error["hint"]


ESCAPED_PARENTHESES = str.maketrans({"(": r"\(", ")": r"\)"})
HINTS = {
    b'{"body": "x",\n "a" 1}': "A colon is missing after a name (line 2, column 6)",
    b'{"body": "x"\n "a": 1}': "A comma is missing, or .* (line 2, column 2)",
    b'{"body": "x",}': "Remove the comma before the closing bracket (line 1, column 1[34])",
    b'["x", \n]': "Remove the comma before the closing bracket (line [12], column [15])",
    b'{body: "x"}': "Write each name .* in double quotes; one has no quotes (line 1, column 2)",
    b'{"body": x}': "Write each name .* in double quotes; one has no quotes (line 1, column 10)",
    b"{'body': 'x'}": "Write .* in double quotes, not in single quotes (line 1, column 2)",
    b"body=x&more=%20y": "This is form data; .* must be JSON (line 1, column 1)",
    b'{"body": True}': "Write true, false and null in lower case (line 1, column 10)",
    b'{"body": "x': "The JSON ends too early: a closing quote or bracket .* (line 1, column 10)",
    b'{"body": "x"': "The JSON ends too early: a closing quote or bracket .* (line 1, column 13)",
    b'{"body": "x\n"}': "A text has a line break or a tab: .* (line 1, column 12)",
    b'{"body": "\\x"}': "A backslash in a text must be doubled (line 1, column 11)",
    b'{"body": "x"}}': "Remove what follows the end of the JSON (line 1, column 14)",
    b'\xef\xbb\xbf{"body": "x"}': "Save the JSON without a byte order mark (line 1, column 1)",
    b'{"body": \xff}': "Byte 10 of the request body is not UTF-8",
    b'{"body": "x", "body": "y"}': 'The key "body" occurs twice in one object',
    b"[NaN]": "NaN is not JSON: write another number, or null",
    b"": "The request body is empty; send JSON",
}


@pytest.mark.parametrize(("body", "hint"), HINTS.items(), ids=HINTS.values())
def test_hint_says_where_the_json_is_wrong(client: FlaskClient, body: bytes, hint: str) -> None:
    given = assert_error(client.post("/api/validate_chirp", data=body), 400)["hint"]

    assert re.fullmatch(hint.translate(ESCAPED_PARENTHESES), given), given


COSTLY = {
    "an open string full of quotes": b"[" * 65 + b'"' + b'\\"' * 32_000,
    "6,500 keys, the last one twice": b"{%s}"
    % b",".join(b'"%d":1' % min(number, 6499) for number in range(6501)),
    "brackets in a long string": b'{"body": "' + b"[" * 65_000 + b'"}',
    "a number of 64 KiB": b"1" * BODY_LIMIT,
    "an exponent of 64 KiB": b"1e" + b"1" * (BODY_LIMIT - 2),
}


@pytest.mark.parametrize("body", COSTLY.values(), ids=COSTLY)
def test_no_body_takes_long_to_refuse(client: FlaskClient, body: bytes) -> None:
    def cpu_seconds() -> float:
        start = thread_time()
        assert_error(client.post("/api/validate_chirp", data=body), 400)
        return thread_time() - start

    # Usually a millisecond; half a second and more if the time is quadratic. Garbage collection
    # can delay one attempt.
    assert any(cpu_seconds() < 0.2 for _ in range(5))


# The size of a body

every_sender = pytest.mark.parametrize("sender", [with_length, chunked])


@every_json_route
@every_sender
@pytest.mark.parametrize("size", [BODY_LIMIT + 1, 10_000_000])
def test_body_over_64_kib_is_413(
    authorized: AuthorizedClient, sql: Sql, route: JsonRoute, sender: BodySender, size: int
) -> None:
    body = json.dumps(route.valid).encode().ljust(size)

    with database_unchanged(sql):
        assert_error(authorized.send(route, **sender(body)), 413)


@every_json_route
def test_body_shorter_than_its_length_is_400(
    authorized: AuthorizedClient, sql: Sql, route: JsonRoute
) -> None:
    body = json.dumps(route.valid).encode()

    with database_unchanged(sql):
        assert_error(authorized.send(route, **with_wrong_length(len(body) + 1)(body)), 400)


@every_json_route
@every_sender
def test_body_of_64_kib_is_accepted(
    authorized: AuthorizedClient, route: JsonRoute, sender: BodySender
) -> None:
    body = json.dumps(route.valid).encode().ljust(BODY_LIMIT)

    assert authorized.send(route, **sender(body)).status_code == route.status
