"""When the database cannot be used, commands and the start end with one message without secrets."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from alembic import command
from click import ClickException
from flask import Flask
from sqlalchemy import URL, make_url

from chirpy.database.engine import db
from chirpy.devtools.commands import register_commands
from chirpy.devtools.postgres import EmbeddedPostgres, EmbeddedPostgresError
from chirpy.server.migrations import MigrationFailed, migrate
from tests.conftest import CLUSTER_URL
from tests.support.databases import Sql, alembic_config, an_app

UNREACHABLE = make_url("postgresql+psycopg2://chirpy@127.0.0.1:1/chirpy")


def error_of(app: Flask, *command: str) -> str:
    """Run a command that fails, and return its message. An exception would be a traceback."""
    result = app.test_cli_runner().invoke(args=command)
    assert isinstance(result.exception, SystemExit)
    assert result.exit_code == 1
    return result.output


# A database at DB_URL


def test_message_shows_the_url_without_passwords() -> None:
    url = UNREACHABLE.set(password="hush").update_query_string("sslpassword=hush&sslmode=prefer")

    with an_app(url) as app:
        message = error_of(app, "webhooks", "list")

    assert "Connection refused" in message
    assert "127.0.0.1:1/chirpy?sslmode=prefer" in message
    assert "hush" not in message


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
def test_database_that_is_not_utf8_is_not_migrated(
    database_url: URL, sql: Sql, encoding: str
) -> None:
    url = database_url.set(database=f"{database_url.database}_{encoding}")
    options = f"ENCODING '{encoding}' TEMPLATE template0 LOCALE_PROVIDER libc LOCALE 'C'"
    sql(f'CREATE DATABASE "{url.database}" {options}')

    with an_app(url) as app, app.app_context():
        with pytest.raises(ClickException) as caught:
            command.upgrade(alembic_config(), "head")
        with db.engine.connect() as connection:
            tables = connection.exec_driver_sql("SELECT FROM pg_tables WHERE schemaname = 'public'")
            assert tables.all() == []

    assert f"its encoding is {encoding}, not UTF8" in caught.value.message
    assert "\nNext: create another database (createdb -E UTF8" in caught.value.message
    sql(f'DROP DATABASE "{url.database}" WITH (FORCE)')


# The embedded Postgres


@contextmanager
def an_app_on(postgres: EmbeddedPostgres) -> Iterator[Flask]:
    with an_app(UNREACHABLE, postgres.ensure_running, db_url=None) as app:
        register_commands(app, postgres)
        yield app


class WithoutDatabase(EmbeddedPostgres):
    """An embedded Postgres that runs, but whose database was dropped."""

    def ensure_running(self) -> dict[str, Any]:
        host = make_url(os.environ[CLUSTER_URL]).query["host"]
        return {**self.connection, "host": str(host), "dbname": "dropped"}


def test_embedded_database_that_was_dropped_is_explained(tmp_path: Path) -> None:
    with an_app_on(WithoutDatabase(tmp_path / "postgres")) as app:
        message = error_of(app, "webhooks", "list")
        with pytest.raises(MigrationFailed) as caught:
            migrate(app)

    assert "Chirpy cannot use its database:\n" in message
    assert 'database "dropped" does not exist' in message
    assert "\nNext: delete the database of `make run` with `make clean`" in message
    assert str(caught.value) in message


@pytest.mark.parametrize("command", ["psql", "webhooks list", "webhooks show id"])
def test_embedded_postgres_that_cannot_start_is_explained(tmp_path: Path, command: str) -> None:
    (tmp_path / "instance").write_text("a file where a folder should be")

    with an_app_on(EmbeddedPostgres(tmp_path / "instance" / "postgres")) as app:
        message = error_of(app, *command.split())

    assert message.startswith(f"Error: {tmp_path}/instance/postgres cannot be made or entered")


def test_embedded_postgres_of_another_user_is_not_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "data").mkdir()
    monkeypatch.setattr(os, "geteuid", lambda: 4_000_000_000)

    with pytest.raises(EmbeddedPostgresError, match=f"{tmp_path} belongs to user"):
        EmbeddedPostgres(tmp_path).destroy()
    assert (tmp_path / "data").exists()
