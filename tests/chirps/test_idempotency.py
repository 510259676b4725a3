"""What authors may rely on who post again for want of an answer, with an `Idempotency-Key`.

draft-ietf-httpapi-idempotency-key-header-07
"""

from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.support.databases import Sql
from tests.support.factories import Person, a_person

KEY = "8e03978e-40d5-43dd-bc93-6894a57f9324"


@pytest.fixture
def author(client: FlaskClient) -> Person:
    return a_person(client)


def post(
    client: FlaskClient, author: Person, key: str | None = KEY, body: str = "Hello"
) -> TestResponse:
    headers = author.access if key is None else author.access | {"Idempotency-Key": key}
    return client.post("/api/chirps", json={"body": body}, headers=headers)


def count(sql: Sql) -> int:
    [[chirps]] = sql("SELECT count(*) FROM chirps")
    return int(chirps)


def test_the_first_post_with_a_key_is_a_post_like_any_other(
    client: FlaskClient, author: Person
) -> None:
    answer = post(client, author)

    assert answer.status_code == 201
    assert "Idempotency-Replayed" not in answer.headers
    assert list(answer.get_json()) == ["id", "created_at", "updated_at", "body", "user_id"]


def test_posted_again_it_is_the_first_chirp_again(
    client: FlaskClient, author: Person, sql: Sql
) -> None:
    first = post(client, author)
    before = sql("SELECT * FROM chirps")

    again = [post(client, author), post(client, author)]

    assert [answer.status_code for answer in again] == [201, 201]
    assert [answer.headers["Idempotency-Replayed"] for answer in again] == ["true", "true"]
    assert [answer.data for answer in again] == [first.data] * 2
    assert sql("SELECT * FROM chirps") == before


def test_what_was_posted_is_compared_not_what_is_shown(
    client: FlaskClient, author: Person, sql: Sql
) -> None:
    post(client, author, body="A kerfuffle")

    same, other = post(client, author, body="A kerfuffle"), post(client, author, body="A fornax")

    assert (same.status_code, other.status_code) == (201, 422)
    assert same.get_json()["body"] == "A ****"
    assert count(sql) == 1


def test_how_the_json_is_written_does_not_matter(
    client: FlaskClient, author: Person, sql: Sql
) -> None:
    headers = author.access | {"Idempotency-Key": KEY}
    written = ['{"body":"Hi"}', '{ "more": 1, "body": "\\u0048i" }']

    answers = [client.post("/api/chirps", data=it, headers=headers) for it in written]

    assert [answer.status_code for answer in answers] == [201, 201]
    assert count(sql) == 1


def test_a_key_with_another_body_is_refused_and_the_first_chirp_stands(
    client: FlaskClient, author: Person, sql: Sql
) -> None:
    post(client, author)
    before = sql("SELECT * FROM chirps")

    answer = post(client, author, body="Goodbye")

    assert answer.status_code == 422
    assert list(answer.get_json()) == ["error", "hint"]
    assert sql("SELECT * FROM chirps") == before
    assert post(client, author).headers["Idempotency-Replayed"] == "true"


SAME = {
    "quoted": (KEY, f'"{KEY}"'),
    "with a quote": ('a"b', r'"a\"b"'),
    "with a backslash": (r"a\b", r'"a\\b"'),
    "with a blank": ("a b", '"a b"'),
}


@pytest.mark.parametrize(("bare", "quoted"), SAME.values(), ids=SAME)
def test_quoted_and_bare_it_is_the_same_key(
    client: FlaskClient, author: Person, sql: Sql, bare: str, quoted: str
) -> None:
    answers = [post(client, author, bare), post(client, author, quoted)]

    assert answers[1].headers["Idempotency-Replayed"] == "true"
    assert sql("SELECT idempotency_key FROM chirps") == [(bare,)]


def test_in_another_case_it_is_another_key(client: FlaskClient, author: Person, sql: Sql) -> None:
    post(client, author, "key")
    post(client, author, "KEY")

    assert count(sql) == 2


def test_a_key_belongs_to_its_author(client: FlaskClient, author: Person, sql: Sql) -> None:
    somebody = a_person(client)

    answers = [post(client, author), post(client, somebody)]

    assert [answer.get_json()["user_id"] for answer in answers] == [author.id, somebody.id]
    assert count(sql) == 2


def test_without_a_key_two_posts_are_two_chirps(
    client: FlaskClient, author: Person, sql: Sql
) -> None:
    for _ in range(2):
        post(client, author, key=None)

    assert count(sql) == 2
    assert sql("SELECT DISTINCT idempotency_key, posted_hash FROM chirps") == [(None, None)]


@pytest.mark.parametrize("key", ["x", "!", "~", "x" * 255, f'"{"x" * 255}"'])
def test_a_key_has_1_to_255_printable_characters(
    client: FlaskClient, author: Person, key: str
) -> None:
    assert post(client, author, key).status_code == 201
    assert post(client, author, key).headers["Idempotency-Replayed"] == "true"


MALFORMED = {
    "empty": "",
    "empty in quotes": '""',
    "256 characters": "x" * 256,
    "256 in quotes": f'"{"x" * 256}"',
    "one quote": '"',
    "no end quote": '"key',
    "more after the quote": '"key"; a=1',
    "a bare quote inside": '"k"y"',
    "an escape of nothing": r'"k\y"',
    "not ASCII": "schlüssel",
    "not ASCII in quotes": '"schlüssel"',
    "a tab": "k\ty",
    "delete": "k\x7fy",
}


@pytest.mark.parametrize("key", MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_key_is_refused_by_name_and_nothing_is_posted(
    client: FlaskClient, author: Person, sql: Sql, key: str
) -> None:
    answer = post(client, author, key)

    assert answer.status_code == 400
    assert list(answer.get_json()["fields"]) == ["Idempotency-Key"]
    assert count(sql) == 0


def test_eight_posts_at_once_with_one_key_are_one_chirp(
    app: Flask, author: Person, sql: Sql
) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: post(app.test_client(), author), range(8)))

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.data for answer in answers}) == 1
    replayed = [answer.headers.get("Idempotency-Replayed") for answer in answers]
    assert sorted(map(str, replayed)) == ["None"] + ["true"] * 7
    assert count(sql) == 1


def test_of_eight_different_posts_at_once_with_one_key_one_is_posted(
    app: Flask, author: Person, sql: Sql
) -> None:
    with ThreadPoolExecutor(8) as pool:
        said = [str(number) for number in range(8)]
        answers = list(pool.map(lambda it: post(app.test_client(), author, body=it), said))

    assert sorted(answer.status_code for answer in answers) == [201] + [422] * 7
    assert count(sql) == 1


def test_a_refused_post_does_not_use_its_key_up(
    client: FlaskClient, author: Person, sql: Sql
) -> None:
    refused = post(client, author, body="x" * 141)

    posted = post(client, author)

    assert (refused.status_code, posted.status_code) == (400, 201)
    assert "Idempotency-Replayed" not in posted.headers
    assert count(sql) == 1


def test_after_its_chirp_is_taken_back_a_key_is_free_again(
    client: FlaskClient, author: Person
) -> None:
    first = post(client, author).get_json()
    client.delete(f"/api/chirps/{first['id']}", headers=author.access)

    again = post(client, author)

    assert again.status_code == 201
    assert again.get_json()["id"] != first["id"]
