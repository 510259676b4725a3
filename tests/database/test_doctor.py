"""`flask doctor` says what is wrong with the database, and the command that corrects it."""

import os
import platform
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from threading import Thread
from typing import Any
from unittest import mock

import pytest
from alembic import command
from psycopg2 import OperationalError
from sqlalchemy import URL

from chirpy.server.doctor import database
from chirpy.server.doctor.connection import commands
from chirpy.server.doctor.postgres_commands import Postgres
from tests.database.test_migration_state import GOOSE
from tests.support.databases import (
    UNREACHABLE,
    alembic_config,
    an_app,
    as_password_user,
    connected,
    migrate,
    new_database,
)
from tests.support.doctor import WRONG_PASSWORD, run_doctor
from tests.support.failures import Breakable
from tests.support.pgbouncer import needs_pgbouncer, pgbouncer

LINUX, MACOS, WSL = [
    ("linux", "6.12.0-amd64"),
    ("darwin", "24.5.0"),
    ("linux", "6.6.87.2-microsoft-standard-WSL2"),
]


def test_doctor_finds_no_problem_in_a_database_that_chirpy_can_use(database_url: URL) -> None:
    report = run_doctor(database_url)

    assert report.failed == []
    assert report.output.endswith("\nno problems\n")
    assert re.fullmatch(r"Postgres \d+\.\d+.*", report.finding("ok", "version"))
    assert "one took " in report.finding("ok", "durable commits")
    assert "fsync is off" in report.finding("note", "durable commits")  # as in all these tests


def test_doctor_waits_for_the_first_start_of_the_embedded_postgres(cluster_url: URL) -> None:
    def start() -> dict[str, Any]:
        time.sleep(1.5)
        return {**cluster_url.query, "user": cluster_url.username, "dbname": "postgres"}

    report = run_doctor(connect=start)

    assert report.finding("ok  ", "server") == "the embedded Postgres runs"
    assert report.failed == ["migrations"]


def test_doctor_deletes_no_embedded_postgres_that_is_silent() -> None:
    silent = mock.Mock(side_effect=OperationalError("timeout expired"))

    finding = run_doctor(connect=silent).finding("FAIL", "server")

    assert "Next: try again in a minute" in finding
    assert "make clean" not in finding


def unreachable(_: URL) -> URL:
    return UNREACHABLE


def wrong_password(url: URL) -> URL:
    return as_password_user(url).set(password=WRONG_PASSWORD)


def unknown_role(url: URL) -> URL:
    return url.set(username="nobody here")


def missing_database(url: URL) -> URL:
    return as_password_user(url).set(database="not there")


@pytest.mark.parametrize(
    ("system", "change", "subject", "text", "step"),
    [
        (LINUX, unreachable, "server", "refused", "sudo systemctl start postgresql"),
        (MACOS, unreachable, "server", "refused", "brew services start "),
        (WSL, unreachable, "server", "refused", "sudo service postgresql start"),
        (
            LINUX,
            wrong_password,
            "authentication",
            "password authentication failed",
            "sudo -u postgres psql -h {} -d postgres -c '\\password \"learner\"'",
        ),
        (
            MACOS,
            unknown_role,
            "authentication",
            'role "nobody here" does not exist',
            " createuser -h {} --pwprompt 'nobody here'",
        ),
        (
            WSL,
            missing_database,
            "database",
            'database "not there" does not exist',
            "sudo -u postgres createdb -h {} -O learner -E UTF8 -T template0 'not there'",
        ),
    ],
)
def test_doctor_says_at_which_step_a_connection_fails(
    cluster_url: URL,
    system: tuple[str, str],
    change: Callable[[URL], URL],
    subject: str,
    text: str,
    step: str,
) -> None:
    with (
        mock.patch.object(sys, "platform", system[0]),
        mock.patch.object(platform, "release", return_value=system[1]),
    ):
        report = run_doctor(change(cluster_url))

    assert report.failed == [subject]
    assert text in report.finding("FAIL", subject)
    assert step.format(cluster_url.query["host"]) in report.finding("FAIL", subject)
    assert "not checked" in report.finding("-   ", "all else")


def empty(_: URL) -> None:
    pass


def of_another_application(url: URL) -> None:
    with connected(url) as sql:
        sql(GOOSE)


def of_an_older_version(url: URL) -> None:
    with an_app(url) as app, app.app_context():
        command.upgrade(alembic_config(), "0008")


def of_a_newer_version(url: URL) -> None:
    migrate(url)
    with connected(url) as sql:
        sql("UPDATE alembic_version SET version_num = '9999'")


@pytest.mark.parametrize(
    ("make", "failed", "text", "step"),
    [
        (empty, ["migrations"], "none is applied", "flask db upgrade"),
        (of_an_older_version, ["migrations"], "0008 is applied, 00", "flask db upgrade"),
        (of_another_application, ["migrations"], "another application", "createdb -h"),
        (of_a_newer_version, [], "9999, newer than 00", ""),
    ],
)
def test_doctor_says_whose_tables_these_are_and_how_old(
    empty_url: URL, make: Callable[[URL], None], failed: list[str], text: str, step: str
) -> None:
    make(empty_url)

    report = run_doctor(empty_url)

    assert report.failed == failed
    finding = report.finding("FAIL" if failed else "ok  ", "migrations")
    assert text in finding
    assert step in finding


@pytest.mark.skipif(
    not (os.environ.get("CI") or shutil.which("createdb")), reason="createdb is not installed"
)
def test_command_of_doctor_creates_the_missing_database(cluster_url: URL) -> None:
    url = cluster_url.set(database="doctor")
    line = re.search(r"createdb .*", run_doctor(url).finding("FAIL", "database"))

    assert line
    subprocess.run(line[0], shell=True, check=True)
    with connected(cluster_url) as sql:
        try:
            assert run_doctor(url).failed == ["migrations"]
        finally:
            sql("DROP DATABASE doctor")


@pytest.mark.parametrize(
    ("setting", "platform_", "failed", "finding"),
    [
        (("default_transaction_read_only", "on"), "dev", ["writes"], 'ALTER DATABASE "{}" RESET'),
        (("synchronous_commit", "off"), "dev", [], "synchronous_commit, which is off for others"),
        (("synchronous_commit", "on"), "prod", ["durable commits"], "ALTER SYSTEM SET fsync = on"),
    ],
)
def test_doctor_examines_writes_and_commits(
    breakable: Breakable, setting: tuple[str, str], platform_: str, failed: list[str], finding: str
) -> None:
    with breakable.altered(*setting):
        report = run_doctor(breakable.url, PLATFORM=platform_)

    assert report.failed == failed
    assert finding.format(breakable.url.database) in report.output


@needs_pgbouncer
def test_doctor_sees_that_commits_behind_pgbouncer_are_not_durable(
    breakable: Breakable, folder: Path
) -> None:
    with (
        breakable.altered("synchronous_commit", "off"),
        pgbouncer(breakable.url, folder, "transaction") as url,
    ):
        report = run_doctor(url)

    assert report.failed == ["durable commits"]
    assert 'ALTER ROLE "chirpy" SET synchronous_commit' in report.output


@needs_pgbouncer
def test_doctor_names_the_statement_mode_of_pgbouncer(breakable: Breakable, folder: Path) -> None:
    with pgbouncer(breakable.url, folder, "statement") as url:
        report = run_doctor(url)

    assert report.failed == ["server"]
    assert report.finding("FAIL", "server").endswith("pool_mode = transaction in pgbouncer.ini")


def test_doctor_names_missing_rights_and_the_grants(breakable: Breakable) -> None:
    report = run_doctor(as_password_user(breakable.url))

    assert report.failed == ["rights", "migrations"]
    assert 'GRANT ALL ON ALL TABLES IN SCHEMA "public" TO "learner"' in report.output
    assert "may not read and write alembic_version, " in report.finding("FAIL", "rights")


def test_doctor_names_an_encoding_a_version_a_clock_and_a_limit_that_are_wrong(
    database_url: URL, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = "ENCODING 'LATIN1' TEMPLATE template0 LOCALE_PROVIDER libc LOCALE 'C'"
    monkeypatch.setattr(database, "OLDEST", 99)
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 100)

    with new_database(database_url, "LATIN1", options) as url:
        report = run_doctor(url, DB_CONNECTIONS="9999")

    assert report.failed == ["version", "clocks", "migrations", "database", "connections"]
    assert "that of Postgres is 100 s behind" in report.finding("FAIL", "clocks")
    assert "is LATIN1, not UTF8" in report.finding("FAIL", "database")


def test_doctor_starts_no_server_that_is_starting() -> None:
    message = "FATAL:  the database system is starting up"

    assert "again" in commands("server", message, Postgres(UNREACHABLE))[0]


def test_doctor_does_not_wait_for_a_server_that_never_answers() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = UNREACHABLE.set(port=listening.getsockname()[1])
        began = time.monotonic()
        report = run_doctor(url)

    assert time.monotonic() - began < 6
    assert report.failed == ["server"]


def test_doctor_survives_a_server_that_sends_garbage() -> None:
    def answer() -> None:
        connection, _ = listening.accept()
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        connection.close()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        Thread(target=answer, daemon=True).start()
        report = run_doctor(UNREACHABLE.set(port=listening.getsockname()[1]))

    assert report.failed == ["server"]
