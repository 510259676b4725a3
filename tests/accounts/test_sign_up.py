"""POST /api/users: sign up."""

import re
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.support.accounts import USER_KEYS, log_in, sign_up
from tests.support.assertions import TIMESTAMP, assert_compact_json, assert_error
from tests.support.databases import Sql
from tests.support.factories import PASSWORD, an_email

CREATED_AT = """SELECT to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
    FROM users"""


@pytest.mark.parametrize("space", ["", "  ", " \n", "\t \u3000"], ids=ascii)
def test_sign_up_returns_201_and_the_user_with_trimmed_email(
    client: FlaskClient, sql: Sql, space: str
) -> None:
    response = sign_up(client, f"{space}Zoë@Example.com{space}")

    user = response.get_json()
    assert response.status_code == 201
    assert_compact_json(response)
    assert list(user) == USER_KEYS
    assert str(UUID(user["id"])) == user["id"]
    assert user["email"] == "Zoë@Example.com"
    assert user["is_chirpy_red"] is False
    assert TIMESTAMP.fullmatch(user["created_at"])
    assert user["updated_at"] == user["created_at"]
    assert sql(CREATED_AT) == [(user["created_at"],)]


@pytest.mark.parametrize("email", ["walt@example.com", "WALT@example.COM", " Walt@example.com "])
def test_sign_up_with_taken_email_is_409(client: FlaskClient, sql: Sql, email: str) -> None:
    sign_up(client, "walt@example.com")

    body = assert_error(sign_up(client, email), 409)

    assert list(body) == ["error", "hint", "fields"]
    assert body["fields"] == {"email": "is taken"}
    assert sql("SELECT email FROM users") == [("walt@example.com",)]


def test_concurrent_sign_ups_with_one_email_create_one_user(app: Flask, sql: Sql) -> None:
    emails = ["walt@example.com", "Walt@Example.com"] * 4

    with ThreadPoolExecutor(8) as pool:
        responses = list(pool.map(lambda email: sign_up(app.test_client(), email), emails))

    assert sorted(response.status_code for response in responses) == [201] + [409] * 7
    assert len(sql("TABLE users")) == 1


INVALID_EMAILS = ["walt", "@example.com", "walt@", "wa lt@example.com", "walt\u200b@example.com"]
INVALID_FIELDS = [
    *({"email": email} for email in INVALID_EMAILS),
    {"email": "   "},
    {"email": "w" * 243 + "@example.com"},  # of 255 characters
    {"password": "x" * 1025},
]


@pytest.mark.parametrize("invalid", INVALID_FIELDS, ids=lambda invalid: f"{invalid!a:.40}")
def test_sign_up_with_invalid_field_is_400(
    client: FlaskClient, sql: Sql, invalid: dict[str, str]
) -> None:
    response = sign_up(client, **{"email": an_email()} | invalid)

    assert assert_error(response, 400)["fields"].keys() == invalid.keys()
    assert sql("TABLE users") == []


VALID_CREDENTIALS = {
    "email of 254 characters": ("w" * 242 + "@example.com", PASSWORD),
    "password of 1 character": ("walt@example.com", "0"),
    "password of 1024 characters": ("walt@example.com", "🔑" * 1024),
    "password of spaces": ("walt@example.com", "   "),
}


@pytest.mark.parametrize(("email", "password"), VALID_CREDENTIALS.values(), ids=VALID_CREDENTIALS)
def test_login_works_after_sign_up(client: FlaskClient, email: str, password: str) -> None:
    sign_up(client, email, password)

    assert log_in(client, email, password).status_code == 200
    assert log_in(client, email, password + " ").status_code in {400, 401}


@pytest.mark.usefixtures("full_hash_cost")
def test_password_is_stored_as_argon2id_hash_with_its_own_salt(
    client: FlaskClient, sql: Sql
) -> None:
    sign_up(client, an_email(), "04234")
    sign_up(client, an_email(), "04234")

    [[one], [other]] = sql("SELECT hashed_password FROM users")
    salt_and_hash = r"\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}"  # 16 and 32 bytes
    assert re.fullmatch(rf"\$argon2id\$v=19\$m=19456,t=2,p=1{salt_and_hash}", one)
    assert one != other
    assert "04234" not in sql("SELECT users::text FROM users")[0][0]
