"""What the hostile may rely on: a plain assert_error, soon, and that it changed nothing."""

import json
from time import thread_time

import pytest
from flask.testing import FlaskClient

from chirpy.settings import Settings
from tests.support.assertions import assert_error, database_unchanged
from tests.support.bodies import BODY_LIMIT, BodySender, chunked, with_length, with_wrong_length
from tests.support.databases import Sql
from tests.support.factories import a_user
from tests.support.json_routes import (
    CREDENTIALS,
    AuthorizedClient,
    JsonRoute,
    access_header,
    every_json_route,
)


@pytest.fixture
def authorized(client: FlaskClient, sql: Sql, settings: Settings) -> AuthorizedClient:
    return AuthorizedClient(client, access_header(a_user(sql), settings.jwt_secret))


# What is not JSON

NOT_JSON: dict[str, bytes] = {
    "nothing": b"",
    "only blanks": b" \r\n\t",
    "words": b"hello",
    "a form": b"email=walt%40example.com&password=04234",
    "cut off": b'{"email": "walt@exam',
    "single quotes": b"{'email': 'walt@example.com'}",
    "a comma too many": b'{"email": "walt@example.com",}',
    "a comment": b'{} // "email"',
    "two values": b"{} {}",
    "a key without quotes": b"{email: 1}",
    "NaN": b'{"email": NaN}',
    "Infinity": b'{"email": Infinity}',
    "-Infinity": b'{"email": -Infinity}',
    "1e999": b'{"email": 1e999}',
    "an integer of 5,000 digits": b'{"email": ' + b"9" * 5000 + b"}",
    "a fraction of 5,000 digits": b'{"email": 0.' + b"9" * 5000 + b"}",
    "a key twice": b'{"email": "a@example.com", "email": "b@example.com"}',
    "a key twice further down": b'{"more": [{"a": 1, "b": 2, "a": 1}]}',
    "65 brackets within brackets": b"[" * 65 + b"]" * 65,
    "30,000 brackets within brackets": b"[" * 30_000 + b"]" * 30_000,
    "30,000 brackets that stay open": b"[" * 30_000,
    "10,000 objects within objects": b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    "UTF-16": json.dumps(CREDENTIALS).encode("utf-16"),
    "UTF-16 without a mark": json.dumps(CREDENTIALS).encode("utf-16-le"),
    "a byte order mark": b"\xef\xbb\xbf" + json.dumps(CREDENTIALS).encode(),
    "Latin-1": b'{"email": "zo\xeb@example.com"}',
    "a surrogate in UTF-8": b'{"email": "\xed\xa0\x80"}',
    "an overlong NUL": b'{"email": "\xc0\x80"}',
    "a bare NUL": b"\0",
    "a bare NUL in a string": b'{"email": "\0"}',
    "a bare newline in a string": b'{"email": "\n"}',
    "an escape of nothing": rb'{"email": "\x41"}',
    "half an escape": rb'{"email": "\u00"}',
}


@every_json_route
@pytest.mark.parametrize("body", NOT_JSON.values(), ids=NOT_JSON)
def test_what_is_not_json_is_refused_with_the_place_where_it_breaks(
    authorized: AuthorizedClient, sql: Sql, route: JsonRoute, body: bytes
) -> None:
    with database_unchanged(sql):
        answer = authorized.send(route, data=body)

    said = assert_error(answer, 400)
    assert said["error"] == "The request body is not valid JSON"
    assert said["hint"]


PLACES = {
    b'{"body": "x",\n "a" 1}': "line 2, column 6",
    b'{"body": \xff}': "Byte 10",
    b'{"body": "x", "body": "y"}': 'The key "body" occurs twice',
    b"[NaN]": "NaN",
    b"": "The body is empty",
}


@pytest.mark.parametrize(("body", "place"), PLACES.items(), ids=PLACES.values())
def test_the_hint_says_where(client: FlaskClient, body: bytes, place: str) -> None:
    said = assert_error(client.post("/api/validate_chirp", data=body), 400)

    assert place in said["hint"]


SLOW = {
    "a string full of quotes that never ends": b"[" * 65 + b'"' + b'\\"' * 32_000,
    "thousands of keys, the last one twice": b"{%s}"
    % b",".join(b'"%d":1' % min(number, 6499) for number in range(6501)),
    "brackets in a long string": b'{"body": "' + b"[" * 65_000 + b'"}',
    "one number of 64 KiB": b"1" * BODY_LIMIT,
    "one exponent of 64 KiB": b"1e" + b"1" * (BODY_LIMIT - 2),
}


@pytest.mark.parametrize("body", SLOW.values(), ids=SLOW)
def test_no_body_takes_long_to_refuse(client: FlaskClient, body: bytes) -> None:
    def taken() -> float:
        """The seconds of CPU of one assert_error."""
        begun = thread_time()
        assert_error(client.post("/api/validate_chirp", data=body), 400)
        return thread_time() - begun

    assert len(body) <= BODY_LIMIT
    # Most take a millisecond, in quadratic time half a second and more; a busy machine, or Python
    # collecting its garbage, may spoil one try.
    assert any(taken() < 0.2 for _ in range(5))


# What is too large

TOO_LARGE: dict[str, bytes] = {
    "64 KiB and a byte": b" " * (BODY_LIMIT + 1),
    "100,000 brackets": b"[" * 100_000,
    "10 MB": b"x" * 10_000_000,
    "an email of 100 kB": json.dumps(CREDENTIALS | {"email": "w" * 100_000}).encode(),
    "a password of 100 kB": json.dumps(CREDENTIALS | {"password": "w" * 100_000}).encode(),
}


@every_json_route
@pytest.mark.parametrize("body", TOO_LARGE.values(), ids=TOO_LARGE)
def test_more_than_64_kib_are_too_large(
    authorized: AuthorizedClient, sql: Sql, route: JsonRoute, body: bytes
) -> None:
    with database_unchanged(sql):
        answer = authorized.send(route, data=body)

    assert_error(answer, 413)


@every_json_route
def test_more_than_64_kib_are_too_large_in_chunks_too(
    authorized: AuthorizedClient, sql: Sql, route: JsonRoute
) -> None:
    padded = json.dumps(route.valid).encode().ljust(BODY_LIMIT + 1)

    with database_unchanged(sql):
        answer = authorized.send(route, **chunked(padded))

    assert_error(answer, 413)


@every_json_route
def test_a_body_that_ends_before_its_length_is_not_taken_as_whole(
    authorized: AuthorizedClient, sql: Sql, route: JsonRoute
) -> None:
    body = json.dumps(route.valid).encode()

    with database_unchanged(sql):
        answer = authorized.send(route, **with_wrong_length(len(body) + 1)(body))

    assert_error(answer, 400)


@every_json_route
@pytest.mark.parametrize("way", [with_length, chunked])
def test_64_kib_are_not_too_large(
    authorized: AuthorizedClient, route: JsonRoute, way: BodySender
) -> None:
    padded = json.dumps(route.valid).encode().ljust(BODY_LIMIT)

    assert authorized.send(route, **way(padded)).status_code == route.status
