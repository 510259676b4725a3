"""What those who run Chirpy may rely on: is it well, how often visited, start afresh."""

import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import make_url

from chirpy import create_app
from chirpy.accounts import passwords
from chirpy.database.engine import db
from chirpy.server.port import PortUnavailable, reserve_port
from chirpy.settings import Settings
from tests.support.databases import Sql
from tests.support.factories import API_KEY, PASSWORD, a_chirp, a_person, an_event

TABLES = ("users", "refresh_tokens", "chirps", "memberships", "webhook_events")
NOBODY_LISTENS = make_url("postgresql+psycopg2://chirpy@127.0.0.1:1/chirpy")
OPEN = Path("/dev/fd")  # what this process has open


def client_of(settings: Settings) -> Iterator[FlaskClient]:
    app = create_app(settings)
    yield app.test_client()
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def in_production(app: Flask, settings: Settings) -> Iterator[FlaskClient]:
    """The same, with PLATFORM=prod; `app` empties the database afterwards."""
    assert app
    yield from client_of(replace(settings, platform="prod"))


@pytest.fixture
def without_database(settings: Settings) -> Iterator[FlaskClient]:
    """A client of an application whose database is away."""
    yield from client_of(replace(settings, db_url=NOBODY_LISTENS))


@pytest.fixture
def everything(client: FlaskClient, sql: Sql) -> dict[str, int]:
    """Something of everything, and how many rows of it there are."""
    person = a_person(client)
    a_chirp(client, person)
    client.post("/api/polka/webhooks", json=an_event(person.id), headers=API_KEY)
    client.get("/app/", buffered=True)
    assert 0 not in rows(sql).values()
    return rows(sql)


def rows(sql: Sql) -> dict[str, int]:
    return {table: sql(f"SELECT count(*) FROM {table}")[0][0] for table in TABLES}


def metrics(client: FlaskClient) -> list[str]:
    return [line.strip() for line in client.get("/admin/metrics").text.splitlines()]


def test_the_metrics_say_how_often_chirpy_was_visited(client: FlaskClient) -> None:
    client.get("/app/", buffered=True)

    assert client.get("/admin/metrics").headers["Content-Type"] == "text/html; charset=utf-8"
    assert "<h1>Welcome, Chirpy Admin</h1>" in metrics(client)
    assert "<p>Chirpy has been visited 1 times!</p>" in metrics(client)


@pytest.mark.usefixtures("everything")
def test_a_reset_forgets_everything(client: FlaskClient, sql: Sql) -> None:
    assert client.post("/admin/reset").status_code == 200
    assert rows(sql) == dict.fromkeys(TABLES, 0)
    assert "<p>Chirpy has been visited 0 times!</p>" in metrics(client)

    client.get("/app/", buffered=True)
    assert "<p>Chirpy has been visited 1 times!</p>" in metrics(client)


def test_in_production_a_reset_is_forbidden_and_forgets_nothing(
    in_production: FlaskClient, everything: dict[str, int], sql: Sql
) -> None:
    refused = in_production.post("/admin/reset")

    assert refused.status_code == 403
    assert refused.get_json()["error"]
    assert rows(sql) == everything
    assert "<p>Chirpy has been visited 1 times!</p>" in metrics(in_production)


@pytest.mark.parametrize("path", ["/api/healthz", "/api/readyz"])
def test_a_healthy_server_says_so_in_plain_text(client: FlaskClient, path: str) -> None:
    answer = client.get(path)

    assert (answer.status_code, answer.data) == (200, b"OK")
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"


def test_a_server_without_its_database_is_healthy_but_not_ready(
    without_database: FlaskClient,
) -> None:
    assert without_database.get("/api/healthz").status_code == 200
    not_ready = without_database.get("/api/readyz")

    assert not_ready.status_code == 503
    assert not_ready.headers["Retry-After"].isdecimal()
    assert not_ready.get_json()["error"]


@pytest.mark.parametrize(
    "path", ["/api/healthz", "/api/readyz", "/api/chirps", "/admin/metrics", "/app/"]
)
def test_head_tells_what_get_would(client: FlaskClient, path: str) -> None:
    head, get = client.head(path, buffered=True), client.get(path, buffered=True)

    assert (head.status_code, head.data) == (get.status_code, b"")
    assert head.headers["Content-Type"] == get.headers["Content-Type"]


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", "/api/healthz", {"GET", "HEAD", "OPTIONS"}),
        ("DELETE", "/api/readyz", {"GET", "HEAD", "OPTIONS"}),
        ("POST", "/admin/metrics", {"GET", "HEAD", "OPTIONS"}),
        ("GET", "/admin/reset", {"POST", "OPTIONS"}),
        ("PUT", "/app/", {"GET", "HEAD", "OPTIONS"}),
        ("GET", "/api/users", {"POST", "PUT", "OPTIONS"}),
    ],
)
def test_another_method_is_told_which_ones_there_are(
    client: FlaskClient, method: str, path: str, allowed: set[str]
) -> None:
    answer = client.open(path, method=method)

    assert answer.status_code == 405
    assert set(answer.headers["Allow"].split(", ")) == allowed
    assert answer.get_json()["error"]


def test_a_start_that_is_refused_its_port_keeps_nothing_open() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        before = set(OPEN.iterdir())
        with pytest.raises(PortUnavailable) as refused:
            reserve_port("127.0.0.1", other.getsockname()[1])

        assert set(OPEN.iterdir()) == before
        assert "\nNext: " in str(refused.value)


MORE_COSTLY = PasswordHasher(time_cost=2, memory_cost=20 * 1024, parallelism=1)


def hashes(sql: Sql) -> list[str]:
    return [stored for [stored] in sql("SELECT hashed_password FROM users")]


def test_a_hash_that_was_cheaper_to_make_is_renewed_at_the_next_login(
    client: FlaskClient, sql: Sql, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = a_person(client)
    [before] = hashes(sql)
    monkeypatch.setattr(passwords, "HASHER", MORE_COSTLY)

    def log_in(password: str) -> int:
        given = {"email": person.email, "password": password}
        return client.post("/api/login", json=given).status_code

    assert log_in("wrong") == 401
    assert hashes(sql) == [before]
    assert log_in(PASSWORD) == 200
    [renewed] = hashes(sql)
    assert "$m=20480,t=2,p=1$" in renewed
    assert log_in(PASSWORD) == 200
    assert hashes(sql) == [renewed]


def test_a_password_that_is_changed_during_such_a_login_stays_changed(
    client: FlaskClient, sql: Sql, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = a_person(client)
    monkeypatch.setattr(passwords, "HASHER", MORE_COSTLY)
    make = passwords.hash_password

    def overtaken(password: str) -> str:
        sql("UPDATE users SET hashed_password = 'of another password'")
        return make(password)

    monkeypatch.setattr(passwords, "hash_password", overtaken)
    client.post("/api/login", json={"email": person.email, "password": PASSWORD})

    assert hashes(sql) == ["of another password"]
