"""What people may rely on when they log in."""

import re
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from time import sleep
from types import FrameType

import psycopg2
import pytest
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import URL
from werkzeug.test import TestResponse

from chirpy.accounts import passwords
from tests.support.databases import Sql
from tests.support.factories import API_KEY, PASSWORD, a_person, a_user

LOGIN = ["id", "created_at", "updated_at", "email", "is_chirpy_red", "token", "refresh_token"]
WALT = "walt@example.com"


def log_in(client: FlaskClient, email: str, password: str = PASSWORD) -> TestResponse:
    return client.post("/api/login", json={"email": email, "password": password})


def test_logging_in_answers_with_the_user_and_two_tokens(client: FlaskClient) -> None:
    client.post("/api/users", json={"email": WALT, "password": PASSWORD})

    answer = log_in(client, WALT)

    login = answer.get_json()
    assert answer.status_code == 200
    assert list(login) == LOGIN
    assert login["email"] == WALT
    assert login["is_chirpy_red"] is False
    assert login["token"].count(".") == 2
    assert re.fullmatch("[0-9a-f]{64}", login["refresh_token"])


def test_a_login_tells_who_is_chirpy_red(client: FlaskClient) -> None:
    person = a_person(client)
    upgrade = {"event": "user.upgraded", "data": {"user_id": person.id}}
    client.post("/api/polka/webhooks", json=upgrade, headers=API_KEY)

    assert log_in(client, person.email).get_json()["is_chirpy_red"] is True


@pytest.mark.parametrize("spelt", ["WALT@EXAMPLE.COM", "  walt@example.com  "])
def test_the_email_may_be_spelt_in_any_case_with_blanks_around_it(
    client: FlaskClient, spelt: str
) -> None:
    a_person(client, WALT)

    answer = log_in(client, spelt)

    assert answer.status_code == 200
    assert answer.get_json()["email"] == WALT


def test_an_unknown_email_and_a_wrong_password_are_answered_alike(client: FlaskClient) -> None:
    a_person(client, WALT)

    unknown, wrong = log_in(client, "jesse@example.com"), log_in(client, WALT, "wrong")

    assert unknown.status_code == wrong.status_code == 401
    assert unknown.data == wrong.data
    assert list(unknown.headers.keys()) == list(wrong.headers.keys())
    assert [it.headers["WWW-Authenticate"] for it in (unknown, wrong)] == [
        'Bearer realm="chirpy"'
    ] * 2


def verifications(act: Callable[[], object]) -> int:
    """How many passwords argon2 compares with a hash, at full cost, while `act` runs."""
    seen = []

    def watch(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and frame.f_code is PasswordHasher.verify.__code__:
            seen.append(frame)

    passwords.HASHING_THREAD.submit(sys.setprofile, watch).result()  # in the thread that compares
    act()
    passwords.HASHING_THREAD.submit(sys.setprofile, None).result()
    return len(seen)


@pytest.mark.parametrize("email", [WALT, "nobody@example.com", "no email"])
def test_whatever_the_email_a_login_costs_one_comparison(client: FlaskClient, email: str) -> None:
    a_person(client, WALT)

    assert verifications(lambda: log_in(client, email, "wrong")) == 1


@pytest.mark.usefixtures("full_hash_cost")
def test_nobodys_hash_costs_as_much_as_anybodys_and_matches_nothing() -> None:
    nobodys, anybodys = (
        it.split("$")[1:4] for it in (passwords.DUMMY_HASH, passwords.hash_password("x"))
    )

    assert nobodys == anybodys
    assert not passwords.matches("", None)
    assert not passwords.matches(passwords.DUMMY_HASH, None)


@pytest.mark.parametrize("password", ["unset", "", " ", "x"])
def test_a_user_without_a_password_cannot_log_in(
    client: FlaskClient, sql: Sql, password: str
) -> None:
    [[email]] = sql("SELECT email FROM users WHERE id = %s", str(a_user(sql)))

    assert log_in(client, email, password).status_code == (401 if password else 400)


def test_a_login_whose_user_is_deleted_meanwhile_is_refused(
    app: Flask, sql: Sql, database_url: URL
) -> None:
    a_person(app.test_client(), WALT)
    url = database_url.set(drivername="postgresql").render_as_string(hide_password=False)
    waits = """SELECT pid FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'"""

    with closing(psycopg2.connect(url)) as other, ThreadPoolExecutor() as pool:
        other.cursor().execute("DELETE FROM users")  # seen by nobody until it is committed
        login = pool.submit(log_in, app.test_client(), WALT)
        while not sql(waits) and not login.done():
            sleep(0.005)
        other.commit()

    assert login.result().status_code == 401
