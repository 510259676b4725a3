"""What authors may rely on when they post a chirp, try its words, or take it back."""

import json
import re
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.support.databases import Sql
from tests.support.factories import Person, a_chirp, a_person

CHIRP = ["id", "created_at", "updated_at", "body", "user_id"]
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
FAMILY = "👨‍👩‍👧‍👦"  # one to the eye, seven code points


@pytest.fixture
def author(client: FlaskClient) -> Person:
    return a_person(client)


def post(client: FlaskClient, author: Person, body: str) -> TestResponse:
    return client.post("/api/chirps", json={"body": body}, headers=author.access)


def bodies(sql: Sql) -> list[str]:
    return [body for [body] in sql("SELECT body FROM chirps ORDER BY created_at")]


# Post


def test_posting_answers_with_the_chirp(client: FlaskClient, author: Person) -> None:
    answer = post(client, author, "I'm the one who knocks!")

    chirp = answer.get_json()
    assert answer.status_code == 201
    assert answer.content_type == "application/json"
    assert list(chirp) == CHIRP
    assert chirp["body"] == "I'm the one who knocks!"
    assert chirp["user_id"] == author.id
    assert str(UUID(chirp["id"])) == chirp["id"]
    assert INSTANT.fullmatch(chirp["created_at"])
    assert chirp["updated_at"] == chirp["created_at"]


def test_the_answer_is_compact_json_that_scripts_can_grep(
    client: FlaskClient, author: Person
) -> None:
    answer = post(client, author, "Ünï 🐦, : {}")

    compact = json.dumps(answer.get_json(), separators=(",", ":"), ensure_ascii=False)
    assert answer.get_data(as_text=True) == f"{compact}\n"


def test_a_chirp_belongs_to_whoever_the_token_says_whatever_the_body_says(
    client: FlaskClient, author: Person
) -> None:
    somebody, given_id = a_person(client), str(uuid4())
    more = {"user_id": somebody.id, "id": given_id, "created_at": "2000-01-01T00:00:00Z"}

    answer = client.post("/api/chirps", json={"body": "Hello"} | more, headers=author.access)

    chirp = answer.get_json()
    assert chirp["user_id"] == author.id
    assert chirp["id"] != given_id
    assert not chirp["created_at"].startswith("2000")


def test_the_same_words_twice_are_two_chirps(client: FlaskClient, author: Person, sql: Sql) -> None:
    one, other = a_chirp(client, author, "Again"), a_chirp(client, author, "Again")

    assert one["id"] != other["id"]
    assert bodies(sql) == ["Again", "Again"]


CLEANED = {
    "each of the three": ("kerfuffle sharbert fornax", "**** **** ****"),
    "any case": ("Kerfuffle SHARBERT fOrNaX", "**** **** ****"),
    "in a sentence": ("This is a kerfuffle opinion", "This is a **** opinion"),
    "with punctuation": ("Sharbert! sharbert, (fornax)", "Sharbert! sharbert, (fornax)"),
    "part of a word": ("kerfuffles antifornax sharbert-", "kerfuffles antifornax sharbert-"),
    "many blanks": ("  fornax   fornax ", "  ****   **** "),
    "after a tab": ("a\tfornax fornax\n", "a\tfornax fornax\n"),
    "after a no-break space": ("a\u00a0fornax", "a\u00a0fornax"),
    "with a combining mark": ("forna\u0301x", "forna\u0301x"),
    "letters that look alike": ("ｆｏｒｎａｘ fоrnax", "ｆｏｒｎａｘ fоrnax"),
    "stars": ("**** *****", "**** *****"),
    "only blanks": ("   ", "   "),
    "nothing profane": ("Hello 🐦", "Hello 🐦"),
}


@pytest.mark.parametrize(("said", "shown"), CLEANED.values(), ids=CLEANED)
def test_profane_words_are_covered_before_anybody_sees_them(
    client: FlaskClient, author: Person, sql: Sql, said: str, shown: str
) -> None:
    assert a_chirp(client, author, said)["body"] == shown
    assert bodies(sql) == [shown]


LONGEST = {
    "letters": "x" * 140,
    "emoji": "🐦" * 140,
    "families": FAMILY * 20,
    "combining": "e\u0301" * 70,
    "blanks": " " * 140,
    "profane": ("sharbert " * 16)[:140],
}
TOO_LONG = {name: body + "x" for name, body in LONGEST.items()}


@pytest.mark.parametrize("body", LONGEST.values(), ids=LONGEST)
def test_140_code_points_pass(client: FlaskClient, author: Person, body: str) -> None:
    assert len(body) == 140
    assert post(client, author, body).status_code == 201


@pytest.mark.parametrize("body", TOO_LONG.values(), ids=TOO_LONG)
def test_141_code_points_are_too_long_even_if_cleaned_they_were_not(
    client: FlaskClient, author: Person, sql: Sql, body: str
) -> None:
    answer = post(client, author, body)

    assert answer.status_code == 400
    assert answer.get_data(as_text=True).startswith('{"error":"Chirp is too long"')
    assert answer.get_json()["fields"] == {"body": "has 141 characters; 140 are allowed"}
    assert bodies(sql) == []


def test_an_empty_chirp_is_refused(client: FlaskClient, author: Person, sql: Sql) -> None:
    answer = post(client, author, "")

    assert answer.status_code == 400
    assert answer.get_json()["fields"] == {"body": "must not be empty"}
    assert bodies(sql) == []


def test_nobody_posts_without_an_access_token(
    client: FlaskClient, author: Person, sql: Sql
) -> None:
    answers = [
        client.post("/api/chirps", json={"body": "Hello"}, headers=headers)
        for headers in ({}, author.refresh, {"Authorization": "Bearer no.such.token"})
    ]

    assert [answer.status_code for answer in answers] == [401] * 3
    assert bodies(sql) == []


# Try the words


@pytest.mark.parametrize(("said", "shown"), CLEANED.values(), ids=CLEANED)
def test_words_can_be_tried_without_posting_them(
    client: FlaskClient, sql: Sql, said: str, shown: str
) -> None:
    answer = client.post("/api/validate_chirp", json={"body": said})

    assert answer.status_code == 200
    assert answer.get_json() == {"cleaned_body": shown}
    assert bodies(sql) == []


@pytest.mark.parametrize("body", TOO_LONG.values(), ids=TOO_LONG)
def test_words_that_are_tried_may_be_no_longer_than_a_chirp(client: FlaskClient, body: str) -> None:
    answer = client.post("/api/validate_chirp", json={"body": body})

    assert answer.status_code == 400
    assert answer.get_json()["error"] == "Chirp is too long"


# Take it back


def delete(client: FlaskClient, chirp_id: object, headers: dict[str, str]) -> TestResponse:
    return client.delete(f"/api/chirps/{chirp_id}", headers=headers)


def test_an_author_takes_a_chirp_back(client: FlaskClient, author: Person, sql: Sql) -> None:
    chirp, _kept = a_chirp(client, author, "Oops"), a_chirp(client, author, "Kept")

    answer = delete(client, chirp["id"], author.access)

    assert answer.status_code == 204
    assert answer.data == b""
    assert "Content-Type" not in answer.headers
    assert bodies(sql) == ["Kept"]


def test_taken_back_it_is_gone(client: FlaskClient, author: Person) -> None:
    chirp = a_chirp(client, author)
    delete(client, chirp["id"], author.access)

    assert client.get(f"/api/chirps/{chirp['id']}").status_code == 404
    assert delete(client, chirp["id"], author.access).status_code == 404


def test_somebody_elses_chirp_stays(client: FlaskClient, author: Person, sql: Sql) -> None:
    chirp = a_chirp(client, a_person(client), "Theirs")

    answer = delete(client, chirp["id"], author.access)

    assert answer.status_code == 403
    assert "Content-Type" in answer.headers
    assert bodies(sql) == ["Theirs"]


def test_who_is_asked_first_then_what_then_whose(
    client: FlaskClient, author: Person, sql: Sql
) -> None:
    theirs, unknown = a_chirp(client, a_person(client))["id"], uuid4()

    nobody = [delete(client, it, {}).status_code for it in (theirs, unknown, "no-uuid")]
    somebody = [delete(client, it, author.access).status_code for it in (theirs, unknown)]

    assert nobody == [401, 401, 401]
    assert somebody == [403, 404]
    assert len(bodies(sql)) == 1


def test_a_refresh_token_takes_nothing_back(client: FlaskClient, author: Person, sql: Sql) -> None:
    chirp = a_chirp(client, author)

    assert delete(client, chirp["id"], author.refresh).status_code == 401
    assert len(bodies(sql)) == 1
