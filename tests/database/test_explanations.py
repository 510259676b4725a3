"""When the database cannot be used, commands and the start end with one message without secrets."""

import socket
from collections.abc import Callable, Iterator
from threading import Thread
from typing import Any

import psycopg2
import pytest
from alembic import command
from click import ClickException
from sqlalchemy import URL

from chirpy.database import startup
from chirpy.database.engine import db
from chirpy.database.migration_state import latest_version
from chirpy.server.migrations import MigrationFailed, version_at_start
from tests.support.commands import error_of
from tests.support.databases import (
    UNREACHABLE,
    alembic_config,
    an_app,
    connected,
    new_database,
    patch_connect,
)
from tests.support.failures import Breakable


def test_message_shows_the_url_without_passwords() -> None:
    url = UNREACHABLE.set(password="hush").update_query_string("sslpassword=hush&sslmode=prefer")

    with an_app(url) as app:
        message = error_of(app, "webhooks", "list")

    assert "Connection refused" in message
    assert " postgres://learner:***@127.0.0.1:1/chirpy?sslmode=prefer:" in message
    assert "hush" not in message
    assert "psycopg" not in message


@pytest.fixture
def tls_server() -> Iterator[URL]:
    """Run a server that agrees to TLS, which is when a client looks for its certificates."""

    def agree() -> None:
        connection, _ = listening.accept()
        with connection:
            connection.recv(8)  # the request
            connection.sendall(b"S")
            connection.recv(1)  # until the client closes the connection

    with socket.create_server(("127.0.0.1", 0)) as listening:
        Thread(target=agree, daemon=True).start()
        yield UNREACHABLE.set(port=listening.getsockname()[1])


@pytest.mark.parametrize(
    "options",
    ["sslmode=verify-full&sslrootcert=/nowhere/root.crt", "sslmode=require&sslcert=/dev/null"],
)
def test_unusable_certificate_leads_to_its_options(tls_server: URL, options: str) -> None:
    with an_app(tls_server.update_query_string(options)) as app:
        message = error_of(app, "webhooks", "list")

    assert "certificate file" in message
    assert message.endswith("\nNext: correct sslmode, sslrootcert, sslcert and sslkey in DB_URL\n")


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII"])
def test_database_that_is_not_utf8_is_not_migrated(database_url: URL, encoding: str) -> None:
    options = f"ENCODING '{encoding}' TEMPLATE template0 LOCALE_PROVIDER libc LOCALE 'C'"

    with (
        new_database(database_url, encoding, options) as url,
        an_app(url) as app,
        app.app_context(),
    ):
        with pytest.raises(ClickException) as caught:
            command.upgrade(alembic_config(), "head")
        with connected(url) as sql:
            assert sql("SELECT FROM pg_tables WHERE schemaname = 'public'") == []

    assert f"its encoding is {encoding}, not UTF8" in caught.value.message
    assert "\nNext: create another database (createdb -E UTF8" in caught.value.message


STARTING_MESSAGES = [
    "FATAL:  the database system is starting up",
    "server closed the connection unexpectedly",
]


@pytest.mark.parametrize("message", STARTING_MESSAGES)
def test_start_waits_for_a_postgres_that_is_starting(
    breakable: Breakable, monkeypatch: pytest.MonkeyPatch, message: str
) -> None:
    attempts: list[str] = []
    monkeypatch.setattr(startup, "PAUSE", 0)

    def refuse(connect: Callable[..., Any], options: dict[str, Any]) -> Any:
        attempts.append(message)
        if len(attempts) < 3:
            raise psycopg2.OperationalError(message)
        return connect(**options)

    with an_app(breakable.url) as app, app.app_context():
        patch_connect(db.engine, refuse)
        assert version_at_start() == latest_version()
    assert len(attempts) == 3


def test_start_gives_up_when_postgres_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(startup, "WAIT", 0)

    def close() -> None:
        listening.accept()[0].close()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        Thread(target=close, daemon=True).start()
        url = UNREACHABLE.set(port=listening.getsockname()[1])
        with an_app(url) as app, app.app_context(), pytest.raises(MigrationFailed) as caught:
            version_at_start()

    assert "server closed the connection unexpectedly" in str(caught.value)
    assert "\nNext: look at the log of Postgres" in str(caught.value)
