"""What people may rely on who stay logged in: refresh and revoke."""

from datetime import timedelta
from hashlib import sha256
from secrets import token_hex
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.support.databases import Sql
from tests.support.factories import Person, a_person

WALT = "walt@example.com"


def send(client: FlaskClient, path: str, token: str) -> TestResponse:
    return client.post(path, headers={"Authorization": f"Bearer {token}"})


def refresh(client: FlaskClient, person: Person) -> int:
    return send(client, "/api/refresh", person.refresh_token).status_code


def stored(sql: Sql, column: str, person: Person) -> Any:
    """A column of the row that the database keeps of a refresh token."""
    digest = sha256(person.refresh_token.encode()).digest()
    [[value]] = sql(f"SELECT {column} FROM refresh_tokens WHERE token_hash = %s", digest)
    return value


# Refresh


def test_the_database_keeps_the_sha_256_of_a_refresh_token_for_60_days(
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


def test_a_refresh_token_gets_access_tokens_again_and_again(client: FlaskClient) -> None:
    person = a_person(client)

    answers = [send(client, "/api/refresh", person.refresh_token) for _ in range(3)]

    assert {answer.status_code for answer in answers} == {200}
    assert {tuple(answer.get_json()) for answer in answers} == {("token",)}
    access = {"Authorization": f"Bearer {answers[-1].get_json()['token']}"}
    posted = client.post("/api/chirps", json={"body": "Hello"}, headers=access)
    assert posted.get_json()["user_id"] == person.id


def test_every_login_starts_a_session_of_its_own(client: FlaskClient) -> None:
    one, other = a_person(client, WALT), a_person(client, WALT)

    send(client, "/api/revoke", one.refresh_token)

    assert one.refresh_token != other.refresh_token
    assert (refresh(client, one), refresh(client, other)) == (401, 200)


ENDED = {
    "expired": "expires_at = now()",
    "expired long ago": "expires_at = now() - interval '1 year'",
    "revoked": "revoked_at = now()",
    "revoked in the future": "revoked_at = now() + interval '1 hour'",
}


@pytest.mark.parametrize("end", ENDED.values(), ids=ENDED)
def test_a_session_that_ended_is_not_refreshed(client: FlaskClient, sql: Sql, end: str) -> None:
    person = a_person(client)
    sql(f"UPDATE refresh_tokens SET {end}")

    answer = send(client, "/api/refresh", person.refresh_token)

    assert answer.status_code == 401
    assert answer.get_json()["hint"] == "Log in at POST /api/login"
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="chirpy"'


def test_a_session_lasts_until_the_last_moment(client: FlaskClient, sql: Sql) -> None:
    person = a_person(client)
    sql("UPDATE refresh_tokens SET expires_at = now() + interval '10 seconds'")

    assert refresh(client, person) == 200


@pytest.mark.parametrize("token", ["ab" * 32, "AB" * 32, "0" * 63, "a", "x" * 4096])
def test_an_unknown_refresh_token_is_not_refreshed(client: FlaskClient, token: str) -> None:
    assert send(client, "/api/refresh", token).status_code == 401


def test_a_deleted_user_is_not_refreshed(client: FlaskClient, sql: Sql) -> None:
    person = a_person(client)
    sql("DELETE FROM users")

    assert refresh(client, person) == 401


# Revoke


def test_revoking_ends_the_session(client: FlaskClient, sql: Sql) -> None:
    person = a_person(client)

    answer = send(client, "/api/revoke", person.refresh_token)

    assert answer.status_code == 204
    assert answer.data == b""
    assert "Content-Type" not in answer.headers
    assert refresh(client, person) == 401
    assert stored(sql, "revoked_at = updated_at AND revoked_at > created_at", person)


def test_revoking_again_keeps_the_moment_of_the_first_time(client: FlaskClient, sql: Sql) -> None:
    person = a_person(client)
    send(client, "/api/revoke", person.refresh_token)
    first = stored(sql, "revoked_at", person)

    answer = send(client, "/api/revoke", person.refresh_token)

    assert answer.status_code == 204
    assert stored(sql, "revoked_at", person) == first


def test_revoking_an_unknown_token_is_as_good_and_does_nothing(
    client: FlaskClient, sql: Sql
) -> None:
    person = a_person(client)

    answer = send(client, "/api/revoke", token_hex(32))

    assert answer.status_code == 204
    assert refresh(client, person) == 200
    assert sql("SELECT count(*) FROM refresh_tokens") == [(1,)]


# Both


@pytest.mark.parametrize("path", ["/api/refresh", "/api/revoke"])
@pytest.mark.parametrize(
    "headers", [{}, {"Authorization": ""}, {"Authorization": "Bearer"}], ids=str
)
def test_without_a_refresh_token_there_is_nothing_to_refresh_or_revoke(
    client: FlaskClient, path: str, headers: dict[str, str]
) -> None:
    answer = client.post(path, headers=headers)

    assert answer.status_code == 401
    assert "Authorization: Bearer <token>" in answer.get_json()["hint"]


@pytest.mark.parametrize(("path", "status"), [("/api/refresh", 200), ("/api/revoke", 204)])
@pytest.mark.parametrize("body", ["", "null", "{}", "{", "\0"], ids=ascii)
def test_no_body_is_needed_and_any_will_do(
    client: FlaskClient, path: str, status: int, body: str
) -> None:
    person = a_person(client)

    assert client.post(path, data=body, headers=person.refresh).status_code == status
