"""POST /api/refresh and POST /api/revoke: use and revoke refresh tokens."""

from datetime import timedelta
from hashlib import sha256
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.support.accounts import assert_unauthorized
from tests.support.assertions import database_unchanged
from tests.support.databases import Sql
from tests.support.factories import API_KEY, Person, a_person, bearer


def refresh(client: FlaskClient, token: str) -> TestResponse:
    return client.post("/api/refresh", headers=bearer(token))


def revoke(client: FlaskClient, token: str) -> TestResponse:
    return client.post("/api/revoke", headers=bearer(token))


def stored(sql: Sql, expression: str, person: Person) -> Any:
    """Return an expression over the row of this person's refresh token."""
    digest = sha256(person.refresh_token.encode()).digest()
    [[value]] = sql(f"SELECT {expression} FROM refresh_tokens WHERE token_hash = %s", digest)
    return value


def test_database_stores_sha_256_of_refresh_token_for_60_days(
    client: FlaskClient, sql: Sql
) -> None:
    person = a_person(client)

    assert sql("SELECT count(*) FROM refresh_tokens") == [(1,)]
    assert stored(sql, "user_id", person) == person.id
    assert stored(sql, "revoked_at", person) is None
    lifetime = stored(sql, "expires_at - created_at", person)
    assert abs(lifetime - timedelta(days=60)) < timedelta(seconds=5)
    row = stored(sql, "refresh_tokens::text", person)
    assert person.refresh_token not in row
    assert person.refresh_token.encode().hex() not in row


def test_refresh_returns_access_tokens_repeatedly(client: FlaskClient) -> None:
    person = a_person(client)

    responses = [refresh(client, person.refresh_token) for _ in range(3)]

    assert {response.status_code for response in responses} == {200}
    assert {tuple(response.get_json()) for response in responses} == {("token",)}


UPDATE = "UPDATE refresh_tokens SET"
ENDINGS = [f"{UPDATE} expires_at = now()", f"{UPDATE} revoked_at = now()", "DELETE FROM users"]


@pytest.mark.parametrize("statement", ENDINGS)
def test_refresh_works_until_the_token_ends(client: FlaskClient, sql: Sql, statement: str) -> None:
    person = a_person(client)
    sql(f"{UPDATE} expires_at = now() + interval '10 seconds'")
    assert refresh(client, person.refresh_token).status_code == 200
    sql(statement)

    body = assert_unauthorized(refresh(client, person.refresh_token))

    assert body["hint"] == "Log in at POST /api/login"


@pytest.mark.parametrize("token", ["ab" * 32, "AB" * 32, "0" * 63, "a", "x" * 4096])
def test_refresh_with_unknown_token_is_401(client: FlaskClient, token: str) -> None:
    assert_unauthorized(refresh(client, token))


def test_revoke_returns_204_and_ends_only_this_token(client: FlaskClient, sql: Sql) -> None:
    one, other = (a_person(client, "walt@example.com") for _ in range(2))

    response = revoke(client, one.refresh_token)

    assert (response.status_code, response.data) == (204, b"")
    assert "Content-Type" not in response.headers
    assert refresh(client, one.refresh_token).status_code == 401
    assert stored(sql, "revoked_at = updated_at AND revoked_at > created_at", one)
    assert refresh(client, other.refresh_token).status_code == 200
    with database_unchanged(sql):
        for without_effect in (one.refresh_token, "ab" * 32):  # revoked, and unknown
            assert revoke(client, without_effect).status_code == 204


@pytest.mark.parametrize("path", ["/api/refresh", "/api/revoke"])
@pytest.mark.parametrize(
    "headers", [{}, {"Authorization": ""}, {"Authorization": "Bearer"}, API_KEY], ids=str
)
def test_refresh_and_revoke_without_refresh_token_are_401(
    client: FlaskClient, path: str, headers: dict[str, str]
) -> None:
    body = assert_unauthorized(client.post(path, headers=headers))

    assert body["hint"] == "Send one header `Authorization: Bearer <token>`"


@pytest.mark.parametrize(("path", "status"), [("/api/refresh", 200), ("/api/revoke", 204)])
@pytest.mark.parametrize("body", ["", "null", "{}", "{", "\0"], ids=ascii)
def test_refresh_and_revoke_ignore_the_body(
    client: FlaskClient, path: str, status: int, body: str
) -> None:
    person = a_person(client)

    assert client.post(path, data=body, headers=person.refresh).status_code == status
