"""PUT /api/users: change the email and password."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import URL
from werkzeug.test import TestResponse

from chirpy.settings import Settings
from tests.support.accounts import USER_KEYS, WAITING_FOR_LOCK, assert_unauthorized, log_in, upgrade
from tests.support.assertions import TIMESTAMP, assert_error, database_unchanged
from tests.support.databases import Sql, connected
from tests.support.factories import PASSWORD, Person, a_person, a_user, an_email, bearer
from tests.support.json_routes import access_header
from tests.support.server import wait_until


def change(client: FlaskClient, access: dict[str, str], **credentials: str) -> TestResponse:
    body = {"email": an_email(), "password": "x"} | credentials
    return client.put("/api/users", json=body, headers=access)


def test_change_user_returns_200_and_the_changed_user_and_changes_no_other(
    client: FlaskClient, sql: Sql
) -> None:
    person, other = a_person(client), str(a_user(sql))
    row_of_other = sql("SELECT * FROM users WHERE id = %s", other)
    upgrade(client, person.id)
    before = log_in(client, person.email).get_json()

    response = change(client, person.access, email=" New@example.com ", password="new")

    user = response.get_json()
    assert response.status_code == 200
    assert list(user) == USER_KEYS
    assert (user["email"], user["is_chirpy_red"]) == ("New@example.com", True)
    assert sql("SELECT * FROM users WHERE id = %s", other) == row_of_other
    assert (user["id"], user["created_at"]) == (before["id"], before["created_at"])
    assert TIMESTAMP.fullmatch(user["updated_at"])
    assert user["updated_at"] > before["updated_at"]
    assert log_in(client, "new@example.com", "new").status_code == 200
    assert log_in(client, "new@example.com", PASSWORD).status_code == 401
    assert log_in(client, person.email, "new").status_code == 401


def refresh(client: FlaskClient, person: Person) -> int:
    return client.post("/api/refresh", headers=person.refresh).status_code


@pytest.mark.parametrize(("password", "status"), [("another", 401), (PASSWORD, 200)])
def test_another_password_revokes_all_refresh_tokens_of_this_user_and_another_email_keeps_them(
    client: FlaskClient, password: str, status: int
) -> None:
    other = a_person(client)
    sessions = [a_person(client, "walt@example.com") for _ in range(2)]

    response = change(client, sessions[0].access, email="WALT@example.com", password=password)

    assert (response.status_code, response.get_json()["email"]) == (200, "WALT@example.com")
    assert [refresh(client, person) for person in (*sessions, other)] == [status, status, 200]
    assert log_in(client, "walt@example.com", password).status_code == 200


def test_password_is_compared_with_the_one_that_a_concurrent_change_sets(
    client: FlaskClient, sql: Sql, database_url: URL
) -> None:
    person = a_person(client)

    with connected(database_url) as other, ThreadPoolExecutor() as pool:
        other("BEGIN; UPDATE users SET hashed_password = 'of another password'")
        changing = pool.submit(change, client, person.access, password=PASSWORD)
        wait_until(lambda: sql(WAITING_FOR_LOCK) or changing.done())
        other("COMMIT")

    assert changing.result().status_code == 200
    assert refresh(client, person) == 401


def test_change_user_with_taken_email_is_409(client: FlaskClient, sql: Sql) -> None:
    person, other = a_person(client), a_person(client)

    with database_unchanged(sql):  # the refresh tokens too
        response = change(client, person.access, email=other.email.upper())

    assert assert_error(response, 409)["fields"] == {"email": "is taken"}


def test_concurrent_changes_to_one_email_give_it_to_one_user(
    app: Flask, sql: Sql, settings: Settings
) -> None:
    def change_email(access: dict[str, str]) -> int:
        return change(app.test_client(), access, email="walt@example.com").status_code

    users = [access_header(a_user(sql), settings.jwt_secret) for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(change_email, users))

    assert sorted(statuses) == [200] + [409] * 7
    assert sql("SELECT count(*) FROM users WHERE email = 'walt@example.com'") == [(1,)]


@pytest.mark.parametrize("headers", [{}, bearer("no.such.token")], ids=str)
@pytest.mark.parametrize("body", ["", "{", "null", '{"email":5}', "[" * 30_000, "x" * 70_000])
def test_change_user_without_access_token_is_401_for_any_body(
    client: FlaskClient, headers: dict[str, str], body: str
) -> None:
    assert_unauthorized(client.put("/api/users", data=body, headers=headers))
