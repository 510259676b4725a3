"""POST /api/login: log in."""

import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from time import sleep
from typing import Any, Literal
from unittest.mock import Mock

import pytest
from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import URL

from chirpy.accounts import passwords
from tests.support.accounts import (
    USER_KEYS,
    WAITING_FOR_LOCK,
    assert_unauthorized,
    log_in,
    sign_up,
)
from tests.support.databases import Sql, an_app, connected, use_cursor_class
from tests.support.factories import PASSWORD
from tests.support.server import wait_until
from tests.support.statements import RecordingCursor, recorded_statements

WALT = "walt@example.com"


class CountingHasher(PasswordHasher):
    """Counts the hashes that were computed to compare them. Broken text is refused without that."""

    computed = 0

    def verify(self, *args: Any) -> Literal[True]:
        with suppress(VerifyMismatchError):
            return super().verify(*args)
        self.computed += 1
        raise VerifyMismatchError


def stored_hash(sql: Sql) -> str:
    [[hashed_password]] = sql("SELECT hashed_password FROM users")
    return str(hashed_password)


@pytest.mark.parametrize("email", [WALT, "WALT@EXAMPLE.COM", "  walt@example.com  "])
def test_login_returns_200_and_the_user_with_two_tokens(client: FlaskClient, email: str) -> None:
    user = sign_up(client, WALT).get_json()

    response = log_in(client, email)

    login = response.get_json()
    assert response.status_code == 200
    assert list(login) == [*USER_KEYS, "token", "refresh_token"]
    assert user.items() <= login.items()
    assert login["token"].count(".") == 2
    assert re.fullmatch("[0-9a-f]{64}", login["refresh_token"])


def test_login_with_wrong_password_is_401_like_unknown_email(client: FlaskClient) -> None:
    sign_up(client, WALT)

    unknown, wrong = log_in(client, "jesse@example.com"), log_in(client, WALT, "wrong")

    assert_unauthorized(unknown)
    assert_unauthorized(wrong)
    assert unknown.data == wrong.data
    assert list(unknown.headers.keys()) == list(wrong.headers.keys())


@pytest.mark.parametrize("stored", ["no user", "a hash", "unset", "", "$argon2id$v=19$broken"])
def test_failed_login_costs_the_same_hashes_and_statements_for_any_user_also_at_the_limit(
    database_url: URL, sql: Sql, monkeypatch: pytest.MonkeyPatch, stored: str
) -> None:
    with an_app(database_url, failed_logins_per_account=1) as app:
        use_cursor_class(app, RecordingCursor)
        client = app.test_client()
        sign_up(client, WALT)
        if stored != "a hash":
            sql("UPDATE users SET hashed_password = %s", stored)
        monkeypatch.setattr(passwords, "HASHER", hasher := CountingHasher())
        thread = Mock(wraps=passwords.HASHING_THREAD)
        monkeypatch.setattr(passwords, "HASHING_THREAD", thread)

        costs = []
        for _ in range(3):
            with recorded_statements(app) as statements:
                response = log_in(client, "no@user.com" if stored == "no user" else WALT, "wrong")
            waits = thread.submit.call_count
            costs.append((response.status_code, waits, hasher.computed, len(statements)))

    assert costs == [(401, 1, 1, 2), (429, 2, 2, 2), (429, 3, 3, 2)]


def test_one_password_is_hashed_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    running, numbers = list[str](), list[int]()

    def hash_slowly(password: str) -> str:
        running.append(password)
        sleep(0.01)
        numbers.append(len(running))
        running.remove(password)
        return password

    monkeypatch.setattr(passwords, "HASHER", Mock(hash=hash_slowly))
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(passwords.hash_password, "abcdefgh")) == list("abcdefgh")

    assert numbers == [1] * 8


@pytest.mark.usefixtures("full_hash_cost")
def test_dummy_hash_has_the_cost_of_a_real_one_and_matches_no_password(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real = passwords.hash_password("x")
    assert passwords.DUMMY_HASH.split("$")[1:4] == real.split("$")[1:4]

    monkeypatch.setattr(passwords, "DUMMY_HASH", real)
    assert passwords.matches("x", real)
    assert not passwords.matches("x", None)


@pytest.mark.parametrize(("password", "status"), [("unset", 401), ("", 400), ("x", 401)])
def test_login_of_user_without_password_fails(
    client: FlaskClient, sql: Sql, password: str, status: int
) -> None:
    sql("INSERT INTO users (email) VALUES (%s)", WALT)

    assert log_in(client, WALT, password).status_code == status


@pytest.mark.parametrize("change", ["DELETE FROM users", "UPDATE users SET hashed_password = ''"])
def test_login_of_user_deleted_or_with_another_password_meanwhile_is_401(
    app: Flask, sql: Sql, database_url: URL, change: str
) -> None:
    sign_up(app.test_client(), WALT)

    with connected(database_url) as other, ThreadPoolExecutor() as pool:
        other(f"BEGIN; {change}")
        login = pool.submit(log_in, app.test_client(), WALT)
        wait_until(lambda: sql(WAITING_FOR_LOCK) or login.done())
        other("COMMIT")

    assert_unauthorized(login.result())


def test_login_replaces_outdated_hash_once(
    client: FlaskClient, sql: Sql, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_up(client, WALT)
    before = stored_hash(sql)
    monkeypatch.setattr(passwords, "HASHER", PasswordHasher(2, 20 * 1024, 1))

    assert log_in(client, WALT, "wrong").status_code == 401
    assert stored_hash(sql) == before
    assert log_in(client, WALT).status_code == 200
    replaced = stored_hash(sql)
    assert "$m=20480,t=2,p=1$" in replaced
    assert log_in(client, WALT).status_code == 200
    assert stored_hash(sql) == replaced


def test_login_with_outdated_hash_keeps_password_that_changed_meanwhile(
    client: FlaskClient, sql: Sql, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_up(client, WALT)
    hash_password = passwords.hash_password

    def change_password_first(password: str) -> str:
        sql("UPDATE users SET hashed_password = 'of another password'")
        return hash_password(password)

    monkeypatch.setattr(passwords, "HASHER", PasswordHasher(2, 20 * 1024, 1))
    monkeypatch.setattr(passwords, "hash_password", change_password_first)
    log_in(client, WALT, PASSWORD)

    assert stored_hash(sql) == "of another password"
