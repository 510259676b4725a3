"""POST /api/chirps with an Idempotency-Key (draft-ietf-httpapi-idempotency-key-header-07)."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.support.assertions import assert_error, database_unchanged
from tests.support.chirps import CHIRP_KEYS, chirp_bodies, post_chirp
from tests.support.databases import Sql
from tests.support.factories import Person, a_person

KEY = "8e03978e-40d5-43dd-bc93-6894a57f9324"

post = partial(post_chirp, key=KEY)


def assert_replayed(response: TestResponse) -> None:
    assert response.status_code == 201
    assert response.headers["Idempotency-Replayed"] == "true"


def test_repeated_idempotent_request_returns_the_first_chirp(
    client: FlaskClient, author: Person, sql: Sql
) -> None:
    first = post(client, author)
    assert first.status_code == 201
    assert "Idempotency-Replayed" not in first.headers
    assert list(first.get_json()) == CHIRP_KEYS

    before = sql("SELECT * FROM chirps")
    headers = author.access | {"Idempotency-Key": KEY}
    for json in ('{"body": "Hello"}', '{ "more": 1, "body": "\\u0048ello" }'):
        repeated = client.post("/api/chirps", data=json, headers=headers)
        assert_replayed(repeated)
        assert repeated.data == first.data
    assert sql("SELECT * FROM chirps") == before


def test_idempotency_key_with_another_body_before_cleaning_is_422_without_effect(
    client: FlaskClient, author: Person, sql: Sql
) -> None:
    post(client, author, "A kerfuffle")
    before = sql("SELECT * FROM chirps")

    response = post(client, author, "A fornax")

    assert list(assert_error(response, 422)) == ["error", "hint"]
    assert sql("SELECT * FROM chirps") == before
    assert_replayed(post(client, author, "A kerfuffle"))


QUOTED = [(KEY, f'"{KEY}"'), ('a"b', r'"a\"b"'), (r"a\b", r'"a\\b"'), ("a b", '"a b"')]


@pytest.mark.parametrize(("bare", "quoted"), QUOTED)
def test_quoted_idempotency_key_equals_bare_key(
    client: FlaskClient, author: Person, sql: Sql, bare: str, quoted: str
) -> None:
    post(client, author, key=bare)

    assert_replayed(post(client, author, key=quoted))
    assert sql("SELECT idempotency_key FROM chirps") == [(bare,)]


def test_requests_of_another_case_or_user_or_without_idempotency_key_are_not_replayed(
    client: FlaskClient, author: Person, sql: Sql
) -> None:
    other = a_person(client)
    requests = [(author, "key"), (author, "KEY"), (other, "key"), (author, None), (author, None)]

    ids = [post(client, person, key=key).get_json()["user_id"] for person, key in requests]

    assert ids == [person.id for person, _ in requests]
    stored = sql("SELECT idempotency_key, posted_hash IS NULL FROM chirps ORDER BY created_at")
    assert stored == [(key, key is None) for _, key in requests]


@pytest.mark.parametrize("key", ["x", "!", "~", "x" * 255, f'"{"x" * 255}"'])
def test_idempotency_key_of_1_to_255_printable_characters_is_accepted(
    client: FlaskClient, author: Person, key: str
) -> None:
    assert post(client, author, key=key).status_code == 201
    assert_replayed(post(client, author, key=key))


MALFORMED = [
    *("", '""', "x" * 256, f'"{"x" * 256}"', '"', '"key', '"key"; a=1', '"k"y"', r'"k\y"'),
    *("schlüssel", "k\ty", "k\x7fy"),
]


@pytest.mark.parametrize("key", MALFORMED, ids=lambda key: f"{key!a:.25}")
def test_malformed_idempotency_key_is_400_without_effect(
    client: FlaskClient, author: Person, sql: Sql, key: str
) -> None:
    with database_unchanged(sql):
        response = post(client, author, key=key)

    assert list(assert_error(response, 400)["fields"]) == ["Idempotency-Key"]


@pytest.mark.parametrize(
    ("bodies", "others"), [("00000000", (201, "true")), ("01234567", (422, ""))]
)
def test_concurrent_requests_with_one_idempotency_key_create_one_chirp(
    app: Flask, author: Person, sql: Sql, bodies: str, others: tuple[int, str]
) -> None:
    with ThreadPoolExecutor(8) as pool:
        responses = list(pool.map(lambda body: post(app.test_client(), author, body), bodies))

    results = [
        (each.status_code, each.headers.get("Idempotency-Replayed", "")) for each in responses
    ]
    assert sorted(results) == [(201, "")] + [others] * 7
    assert len({response.data for response in responses if response.status_code == 201}) == 1
    assert len(chirp_bodies(sql)) == 1


def test_idempotency_key_of_refused_request_or_deleted_chirp_can_be_used_again(
    client: FlaskClient, author: Person
) -> None:
    assert_error(post(client, author, "x" * 141), 400)

    first = post(client, author)
    client.delete(f"/api/chirps/{first.get_json()['id']}", headers=author.access)
    second = post(client, author)

    for response in (first, second):
        assert response.status_code == 201
        assert "Idempotency-Replayed" not in response.headers
    assert first.get_json()["id"] != second.get_json()["id"]
