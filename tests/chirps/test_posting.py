"""POST /api/chirps, POST /api/validate_chirp and DELETE /api/chirps/{id}."""

from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.support.accounts import assert_unauthorized
from tests.support.assertions import (
    TIMESTAMP,
    assert_compact_json,
    assert_error,
    database_unchanged,
)
from tests.support.chirps import CHIRP_KEYS, chirp_bodies
from tests.support.databases import Sql
from tests.support.factories import API_KEY, Person, a_chirp, a_person, bearer


def delete_chirp(client: FlaskClient, chirp_id: object, headers: dict[str, str]) -> TestResponse:
    return client.delete(f"/api/chirps/{chirp_id}", headers=headers)


def test_post_chirp_returns_201_and_the_chirp_of_the_token_made_now(
    client: FlaskClient, author: Person
) -> None:
    given = {"user_id": a_person(client).id, "id": str(uuid4()), "created_at": "2000-01-01Z"}
    json = {"body": "Ünï 🐦, : {}"} | given

    response = client.post("/api/chirps", json=json, headers=author.access)

    chirp = response.get_json()
    assert response.status_code == 201
    assert_compact_json(response)
    assert list(chirp) == CHIRP_KEYS
    assert chirp["body"] == "Ünï 🐦, : {}"
    assert chirp["user_id"] == author.id
    assert str(UUID(chirp["id"])) == chirp["id"] != given["id"]
    assert TIMESTAMP.fullmatch(chirp["created_at"])
    assert chirp["created_at"] > "2001"
    assert chirp["updated_at"] == chirp["created_at"]


CLEANED = {
    "in a sentence": ("This kerfuffle sharbert is fornax", "This **** **** is ****"),
    "any case": ("Kerfuffle SHARBERT fOrNaX", "**** **** ****"),
    "with punctuation": ("Sharbert! sharbert, (fornax)", "Sharbert! sharbert, (fornax)"),
    "part of a word": ("kerfuffles antifornax sharbert-", "kerfuffles antifornax sharbert-"),
    "many spaces": ("  fornax   fornax ", "  ****   **** "),
    "after a tab": ("a\tfornax fornax\n", "a\tfornax fornax\n"),
    "after a no-break space": ("a\u00a0fornax", "a\u00a0fornax"),
    "with a combining mark": ("forna\u0301x", "forna\u0301x"),
    "similar letters": ("ｆｏｒｎａｘ fоrnax", "ｆｏｒｎａｘ fоrnax"),
    "no profane word": ("  **** ", "  **** "),
}


@pytest.mark.parametrize(("body", "cleaned"), CLEANED.values(), ids=CLEANED)
def test_profane_words_are_replaced_in_posted_and_validated_chirps(
    client: FlaskClient, author: Person, sql: Sql, body: str, cleaned: str
) -> None:
    validated = client.post("/api/validate_chirp", json={"body": body})

    assert (validated.status_code, validated.get_json()) == (200, {"cleaned_body": cleaned})
    assert chirp_bodies(sql) == []
    assert a_chirp(client, author, body)["body"] == cleaned
    assert chirp_bodies(sql) == [cleaned]


OF_140_CODE_POINTS = {
    "letters": "x" * 140,
    "emoji": "🐦" * 140,
    "combining marks": "e\u0301" * 70,
    "spaces": " " * 140,
    "profane words": ("sharbert " * 16)[:140],
}


@pytest.mark.parametrize(("path", "status"), [("/api/chirps", 201), ("/api/validate_chirp", 200)])
@pytest.mark.parametrize("body", OF_140_CODE_POINTS.values(), ids=OF_140_CODE_POINTS)
def test_chirp_of_140_code_points_is_accepted_and_of_141_is_400_before_cleaning(
    client: FlaskClient, author: Person, sql: Sql, path: str, status: int, body: str
) -> None:
    with database_unchanged(sql):
        response = client.post(path, json={"body": body + "x"}, headers=author.access)
    assert client.post(path, json={"body": body}, headers=author.access).status_code == status

    fields = assert_error(response, 400)["fields"]
    assert response.get_data(as_text=True).startswith('{"error":"Chirp is too long"')
    assert fields == {"body": "has 141 characters; 140 are allowed"}


def test_post_chirp_without_access_token_is_401(
    client: FlaskClient, author: Person, sql: Sql
) -> None:
    with database_unchanged(sql):
        for headers in ({}, API_KEY, author.refresh, bearer("no.such.token")):
            assert_unauthorized(client.post("/api/chirps", json={"body": "Hi"}, headers=headers))


def test_delete_own_chirp_is_204_and_then_404(
    client: FlaskClient, author: Person, sql: Sql
) -> None:
    chirp, _ = a_chirp(client, author, "Oops"), a_chirp(client, author, "Kept")

    response = delete_chirp(client, chirp["id"], author.access)

    assert (response.status_code, response.data) == (204, b"")
    assert "Content-Type" not in response.headers
    assert chirp_bodies(sql) == ["Kept"]
    assert_error(client.get(f"/api/chirps/{chirp['id']}"), 404)
    assert_error(delete_chirp(client, chirp["id"], author.access), 404)


def test_delete_chirp_checks_token_then_chirp_then_author(
    client: FlaskClient, author: Person, sql: Sql
) -> None:
    own, others = a_chirp(client, author)["id"], a_chirp(client, a_person(client))["id"]
    unknown = uuid4()

    with database_unchanged(sql):
        for chirp_id in (others, unknown, "no-uuid"):
            assert_unauthorized(delete_chirp(client, chirp_id, {}))
        assert_unauthorized(delete_chirp(client, own, author.refresh))
        assert_error(delete_chirp(client, unknown, author.access), 404)
        assert_error(delete_chirp(client, others, author.access), 403)
