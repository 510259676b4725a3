"""What whoever starts Chirpy or types a command is told when its database can't be used."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import pytest
from alembic import command
from click import ClickException
from click.testing import CliRunner
from flask import Flask
from sqlalchemy import URL, make_url

from chirpy.database.engine import db
from chirpy.devtools.commands import register_commands
from chirpy.devtools.postgres import Connection, PrivatePostgres
from chirpy.devtools.postgres.__main__ import main as postgres_command
from chirpy.devtools.postgres.place import PORT
from chirpy.server.migrations import MigrationFailed, migrate
from tests.conftest import CLUSTER_URL
from tests.support.databases import Sql, alembic_config, an_app

NOBODY_LISTENS = make_url("postgresql+psycopg2://chirpy@127.0.0.1:1/chirpy")


def said(app: Flask, *command: str) -> str:
    """What a command prints that can't do what it should: no traceback."""
    ended = app.test_cli_runner().invoke(args=command)
    assert isinstance(ended.exception, SystemExit)
    assert ended.exit_code == 1
    return ended.output


# A database that DB_URL names


def test_no_password_is_shown_wherever_in_the_url_it_stands() -> None:
    url = NOBODY_LISTENS.set(password="hush").update_query_string("sslpassword=hush&sslmode=prefer")

    with an_app(url) as app:
        message = said(app, "webhooks", "list")

    assert "Connection refused" in message
    assert "127.0.0.1:1/chirpy?sslmode=prefer" in message
    assert "hush" not in message


@pytest.fixture
def speaks_tls() -> Iterator[URL]:
    """A server that agrees to TLS, which is when a client looks for its certificates."""

    def agree() -> None:
        connection, _ = listening.accept()
        with connection:
            connection.recv(8)  # the request
            connection.sendall(b"S")
            connection.recv(1)  # until the other side hangs up

    with socket.create_server(("127.0.0.1", 0)) as listening:
        Thread(target=agree, daemon=True).start()
        yield NOBODY_LISTENS.set(port=listening.getsockname()[1])


@pytest.mark.parametrize(
    "options",
    ["sslmode=verify-full&sslrootcert=/nowhere/root.crt", "sslmode=require&sslcert=/dev/null"],
)
def test_a_certificate_that_is_missing_or_none_is_told_from_a_missing_database(
    speaks_tls: URL, options: str
) -> None:
    with an_app(speaks_tls.update_query_string(options)) as app:
        message = said(app, "webhooks", "list")

    assert "certificate file" in message
    assert message.endswith("\nNext: correct sslmode, sslrootcert, sslcert and sslkey in DB_URL\n")


@pytest.fixture(params=["LATIN1", "SQL_ASCII"])
def of_another_encoding(
    request: pytest.FixtureRequest, database_url: URL, sql: Sql
) -> Iterator[tuple[str, URL]]:
    """A database that no emoji fits, or that counts bytes for characters."""
    encoding = request.param
    url = database_url.set(database=f"{database_url.database}_{encoding}")
    sql(
        f"CREATE DATABASE \"{url.database}\" ENCODING '{encoding}' TEMPLATE template0"
        " LOCALE_PROVIDER libc LOCALE 'C'"
    )
    yield encoding, url
    sql(f'DROP DATABASE "{url.database}" WITH (FORCE)')


def test_a_database_that_no_emoji_fits_is_refused_before_anything_is_made_in_it(
    of_another_encoding: tuple[str, URL],
) -> None:
    encoding, url = of_another_encoding

    with an_app(url) as app, app.app_context():
        with pytest.raises(ClickException) as refused:
            command.upgrade(alembic_config(), "head")
        with db.engine.connect() as connection:
            tables = connection.exec_driver_sql("SELECT FROM pg_tables WHERE schemaname = 'public'")
            assert tables.all() == []

    assert f"its encoding is {encoding}, not UTF8" in str(refused.value)
    assert "\nNext: create another database (createdb -E UTF8 -T template0 NAME)" in str(
        refused.value
    )


# The private Postgres


@contextmanager
def an_app_with(private: PrivatePostgres) -> Iterator[Flask]:
    """An application whose private Postgres is this one."""
    with an_app(NOBODY_LISTENS, private.ensure_running, db_url=None) as app:
        register_commands(app, private)
        yield app


class Emptied(PrivatePostgres):
    """One that runs, but whose database somebody has dropped."""

    def ensure_running(self) -> Connection:
        host = make_url(os.environ[CLUSTER_URL]).query["host"]
        return {"host": str(host), "port": PORT, "user": "chirpy", "dbname": "dropped"}


def test_a_private_postgres_that_fails_is_called_so_and_its_log_named(tmp_path: Path) -> None:
    private = Emptied(tmp_path / "postgres")

    with an_app_with(private) as app:
        message = said(app, "webhooks", "list")
        with pytest.raises(MigrationFailed) as refused:
            migrate(app)

    assert "Chirpy cannot use its database:\n" in message
    assert 'database "dropped" does not exist' in message
    assert "\nNext: `make clean` deletes the database" in message
    assert str(refused.value) in message


@pytest.mark.parametrize("command", [["psql"], ["webhooks", "list"], ["webhooks", "show", "id"]])
def test_a_private_postgres_that_cannot_start_is_one_message(
    tmp_path: Path, command: list[str]
) -> None:
    (tmp_path / "instance").write_text("a file where a folder should be")

    with an_app_with(PrivatePostgres(tmp_path / "instance" / "postgres")) as app:
        message = said(app, *command)

    assert message.startswith(f"Error: {tmp_path}/instance/postgres cannot be made or entered")


def test_so_is_one_that_cannot_be_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "data").mkdir()
    monkeypatch.setattr(os, "geteuid", lambda: 4_000_000_000)  # somebody whose data it is not

    ended = CliRunner().invoke(postgres_command, ["remove", str(tmp_path)])

    assert ended.exit_code == 1
    assert ended.output.startswith(f"Error: {tmp_path} belongs to ")
    assert (tmp_path / "data").exists()
