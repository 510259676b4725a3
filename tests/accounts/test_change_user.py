"""What people may rely on when they change their email and password."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from chirpy.accounts import access_tokens
from chirpy.settings import Settings
from tests.support.databases import Sql
from tests.support.factories import API_KEY, PASSWORD, a_person, a_user, an_email

USER = ["id", "created_at", "updated_at", "email", "is_chirpy_red"]
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


def log_in(client: FlaskClient, email: str, password: str) -> TestResponse:
    return client.post("/api/login", json={"email": email, "password": password})


def change(client: FlaskClient, access: dict[str, str], **to: str) -> TestResponse:
    return client.put(
        "/api/users", json={"email": an_email(), "password": "x"} | to, headers=access
    )


def test_changing_answers_with_the_user_as_they_are_now(client: FlaskClient) -> None:
    person = a_person(client)
    before = log_in(client, person.email, PASSWORD).get_json()

    answer = change(client, person.access, email=" New@example.com ")

    after = answer.get_json()
    assert answer.status_code == 200
    assert list(after) == USER
    assert after["email"] == "New@example.com"
    assert (after["id"], after["created_at"]) == (before["id"], before["created_at"])
    assert INSTANT.fullmatch(after["updated_at"])
    assert after["updated_at"] > before["updated_at"]


def test_after_a_change_the_new_email_and_password_count_and_the_old_do_not(
    client: FlaskClient,
) -> None:
    person = a_person(client)

    change(client, person.access, email="new@example.com", password="new")

    assert log_in(client, "new@example.com", "new").status_code == 200
    assert log_in(client, "new@example.com", PASSWORD).status_code == 401
    assert log_in(client, person.email, "new").status_code == 401


def test_a_change_leaves_everybody_else_and_the_membership_as_they_are(
    client: FlaskClient, sql: Sql
) -> None:
    person, other = a_person(client), a_user(sql)
    before = sql("SELECT * FROM users WHERE id = %s", str(other))
    upgrade = {"event": "user.upgraded", "data": {"user_id": person.id}}
    client.post("/api/polka/webhooks", json=upgrade, headers=API_KEY)

    after = change(client, person.access).get_json()

    assert after["is_chirpy_red"] is True
    assert sql("SELECT * FROM users WHERE id = %s", str(other)) == before


def test_ones_own_email_may_be_kept_or_spelt_in_another_case(client: FlaskClient) -> None:
    person = a_person(client, "walt@example.com")

    answers = [change(client, person.access, email=it) for it in (person.email, "WALT@example.com")]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[1].get_json()["email"] == "WALT@example.com"


def test_somebody_elses_email_is_taken_and_nothing_changes(client: FlaskClient, sql: Sql) -> None:
    person, other = a_person(client), a_person(client)
    before = sql("SELECT * FROM users ORDER BY id")

    answer = change(client, person.access, email=other.email.upper())

    assert answer.status_code == 409
    assert answer.get_json()["fields"] == {"email": "is taken"}
    assert sql("SELECT * FROM users ORDER BY id") == before


def test_of_eight_who_change_to_one_email_at_once_one_gets_it(
    app: Flask, sql: Sql, settings: Settings
) -> None:
    eight = [access_tokens.issue(a_user(sql), settings.jwt_secret) for _ in range(8)]

    def claim(token: str) -> TestResponse:
        headers = {"Authorization": f"Bearer {token}"}
        return change(app.test_client(), headers, email="walt@example.com")

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(claim, eight))

    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 7
    assert sql("SELECT count(*) FROM users WHERE email = 'walt@example.com'") == [(1,)]


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer no.such.token"}], ids=str)
@pytest.mark.parametrize("body", ["", "{", "null", '{"email":5}', "[" * 30_000, "x" * 70_000])
def test_without_an_access_token_the_body_is_not_even_looked_at(
    client: FlaskClient, headers: dict[str, str], body: str
) -> None:
    answer = client.put("/api/users", data=body, headers=headers)

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="chirpy"'


NOBODYS: dict[str, tuple[str, str, dict[str, str]]] = {
    "change": ("PUT", "/api/users", {"email": "gone@example.com", "password": "x"}),
    "post a chirp": ("POST", "/api/chirps", {"body": "Hello"}),
}


@pytest.mark.parametrize(("method", "path", "body"), NOBODYS.values(), ids=NOBODYS)
def test_an_access_token_that_outlives_its_user_lets_nobody_in(
    client: FlaskClient, sql: Sql, method: str, path: str, body: dict[str, str]
) -> None:
    person = a_person(client)
    sql("DELETE FROM users")

    answer = client.open(path, method=method, json=body, headers=person.access)

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="chirpy"'
    assert sql("SELECT count(*) FROM users") == [(0,)]
