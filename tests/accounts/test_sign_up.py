"""What people may rely on when they sign up."""

import json
import re
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.support.databases import Sql
from tests.support.factories import PASSWORD, an_email

USER = ["id", "created_at", "updated_at", "email", "is_chirpy_red"]
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
AS_SHOWN = """to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""


def sign_up(client: FlaskClient, email: str, password: str = PASSWORD) -> TestResponse:
    return client.post("/api/users", json={"email": email, "password": password})


def logs_in(client: FlaskClient, email: str, password: str) -> bool:
    answer = client.post("/api/login", json={"email": email, "password": password})
    return answer.status_code == 200


def test_signing_up_answers_with_the_user(client: FlaskClient) -> None:
    answer = sign_up(client, "walt@example.com")

    user = answer.get_json()
    assert answer.status_code == 201
    assert answer.content_type == "application/json"
    assert list(user) == USER
    assert str(UUID(user["id"])) == user["id"]
    assert user["email"] == "walt@example.com"
    assert user["is_chirpy_red"] is False


def test_the_answer_is_compact_json_that_scripts_can_grep(client: FlaskClient) -> None:
    answer = sign_up(client, "zoë@example.com")

    compact = json.dumps(answer.get_json(), separators=(",", ":"), ensure_ascii=False)
    assert answer.get_data(as_text=True) == f"{compact}\n"


def test_timestamps_are_rfc_3339_in_utc_with_microseconds(client: FlaskClient, sql: Sql) -> None:
    user = sign_up(client, an_email()).get_json()

    assert INSTANT.fullmatch(user["created_at"])
    assert user["updated_at"] == user["created_at"]
    assert sql(f"SELECT {AS_SHOWN} FROM users") == [(user["created_at"],)]


@pytest.mark.parametrize(
    "given", ["  walt@example.com", "walt@example.com \n", "\t walt@example.com\u3000"], ids=ascii
)
def test_an_email_loses_the_blanks_around_it(client: FlaskClient, given: str) -> None:
    assert sign_up(client, given).get_json()["email"] == "walt@example.com"


def test_an_email_keeps_its_case(client: FlaskClient) -> None:
    assert sign_up(client, "Walt@Example.com").get_json()["email"] == "Walt@Example.com"


@pytest.mark.parametrize("again", ["walt@example.com", "WALT@example.COM", " Walt@example.com "])
def test_an_email_has_one_account_in_whatever_case(
    client: FlaskClient, sql: Sql, again: str
) -> None:
    sign_up(client, "walt@example.com")

    answer = sign_up(client, again)

    assert answer.status_code == 409
    assert list(answer.get_json()) == ["error", "hint", "fields"]
    assert answer.get_json()["fields"] == {"email": "is taken"}
    assert sql("SELECT email FROM users") == [("walt@example.com",)]


def test_of_eight_who_sign_up_at_once_with_one_email_one_gets_it(app: Flask, sql: Sql) -> None:
    spellings = ["walt@example.com", "Walt@Example.com"] * 4

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda it: sign_up(app.test_client(), it), spellings))

    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 7
    assert sql("SELECT count(*) FROM users") == [(1,)]


NO_EMAILS = {
    "no @": "walt",
    "nobody": "@example.com",
    "nowhere": "walt@",
    "only @": "@",
    "a blank inside": "wa lt@example.com",
    "a line inside": "walt@exam\nple.com",
    "an invisible character": "walt\u200b@example.com",
    "only blanks": "   ",
    "255 characters": "w" * 243 + "@example.com",
}


@pytest.mark.parametrize("email", NO_EMAILS.values(), ids=NO_EMAILS)
def test_what_is_no_email_is_refused_by_name(client: FlaskClient, sql: Sql, email: str) -> None:
    answer = sign_up(client, email)

    assert answer.status_code == 400
    assert list(answer.get_json()["fields"]) == ["email"]
    assert sql("SELECT count(*) FROM users") == [(0,)]


LONGEST = {
    "email of 254": ("w" * 242 + "@example.com", PASSWORD),
    "password of 1": ("walt@example.com", "0"),
    "password of 1024": ("walt@example.com", "🔑" * 1024),
    "password of blanks": ("walt@example.com", "   "),
}


@pytest.mark.parametrize(("email", "password"), LONGEST.values(), ids=LONGEST)
def test_whoever_signed_up_can_log_in(client: FlaskClient, email: str, password: str) -> None:
    sign_up(client, email, password)

    assert logs_in(client, email, password)
    assert not logs_in(client, email, password + " ")


def test_a_password_of_1025_characters_is_refused(client: FlaskClient) -> None:
    answer = sign_up(client, an_email(), "x" * 1025)

    assert answer.status_code == 400
    assert list(answer.get_json()["fields"]) == ["password"]


@pytest.mark.usefixtures("full_hash_cost")
def test_a_password_is_kept_as_an_argon2id_hash_with_a_salt_of_its_own(
    client: FlaskClient, sql: Sql
) -> None:
    sign_up(client, an_email(), "04234")
    sign_up(client, an_email(), "04234")

    [[one], [other]] = sql("SELECT hashed_password FROM users")
    salt_and_hash = r"\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}"  # 16 and 32 bytes
    assert re.fullmatch(rf"\$argon2id\$v=19\$m=19456,t=2,p=1{salt_and_hash}", one)
    assert one != other
    assert "04234" not in sql("SELECT users::text FROM users")[0][0]
