"""What somebody meets who starts Chirpy: a server within seconds, or one message that helps."""

import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest
from alembic import command
from click import ClickException
from sqlalchemy import URL, make_url

from chirpy.devtools.postgres import PrivatePostgres
from chirpy.server.migrations import MigrationFailed, applied_version
from chirpy.settings import DRIVER
from tests.support.databases import (
    DB_PASSWORD,
    alembic_config,
    an_app,
    as_password_user,
    create_database,
    sql_on,
    url_text,
)
from tests.support.factories import PASSWORD, an_email
from tests.support.server import (
    NO_SETTINGS,
    PROJECT,
    SECRETS,
    SMALL_SERVER,
    STOP_TIMEOUT,
    TIMEOUT,
    Server,
    child_processes,
    environment,
    free_port,
    run_python,
    wait_until,
)

SECOND_START = 3  # seconds, with everything in place
TRIES = 2  # the other tests keep the machine busy meanwhile
DOTENV = "".join(f"{name}={value}\n" for name, value in (SECRETS | SMALL_SERVER).items())


class Starting(Server):
    """A server whose workers exist, but do not serve yet."""

    def is_ready(self) -> bool:
        return bool(self.workers)


@pytest.fixture
def copy(folder: Path) -> Iterator[Path]:
    """A copy of Chirpy as it comes, without `.env` and without data."""
    copy = folder / "chirpy"
    for part in ("chirpy", "migrations"):
        shutil.copytree(PROJECT / part, copy / part)
    shutil.copy(PROJECT / "app.py", copy)
    yield copy
    PrivatePostgres(copy / "instance" / "postgres").destroy()


@pytest.fixture
def guarded(cluster_url: URL) -> URL:
    """The address of a database that asks for a password, which is part of it."""
    return as_password_user(cluster_url)


APP = str(PROJECT / "app.py")


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """A folder to start from whose files would stop the start if anybody read them."""
    (tmp_path / ".env").write_text("THREADS=none\n")
    (tmp_path / ".flaskenv").write_text("FLASK_APP=another\n")
    (tmp_path / "click.py").write_text("raise SystemExit('read')\n")
    return tmp_path


def refusal(*arguments: str, folder: Path = PROJECT, **given: str) -> str:
    """What is printed instead of a start: never a traceback, never a secret."""
    ended = run_python(
        folder, *arguments, **NO_SETTINGS | SECRETS | {"PORT": str(free_port())} | given
    )
    assert ended.returncode == 1
    assert "Traceback" not in ended.stdout
    assert not [it for it in (*SECRETS.values(), DB_PASSWORD) if it in ended.stdout]
    return ended.stdout


def test_settings_that_are_missing_or_wrong_are_all_named_before_anything_starts(
    copy: Path,
) -> None:
    ended = run_python(copy, "app.py", PORT="eighty", PLATFORM="staging")

    assert ended.returncode == 1
    named = [line.split()[0] for line in ended.stdout.splitlines()[1:]]
    assert sorted(named) == ["JWT_SECRET", "PLATFORM", "POLKA_KEY", "PORT"]
    assert not (copy / "instance").exists()


def told(url: URL) -> str:
    """What a start says that can't use the database at `url`: it looks, and lets Alembic try."""

    def start() -> None:
        applied_version()
        command.upgrade(alembic_config(), "head")

    with (
        an_app(url) as app,
        app.app_context(),
        pytest.raises((MigrationFailed, ClickException)) as refused,
    ):
        start()
    return str(refused.value)


UNREACHABLE = make_url(f"{DRIVER}://learner:{DB_PASSWORD}@127.0.0.1:1/chirpy")


@pytest.mark.parametrize("command", [(APP,), ("-m", "flask", "db", "upgrade")])
def test_a_database_that_cannot_be_reached_is_one_message(command: tuple[str, ...]) -> None:
    said = refusal(*command, DB_URL=url_text(UNREACHABLE))

    assert "Connection refused" in said
    assert "Next: start Postgres" in said


@pytest.mark.parametrize(
    ("url", "reason", "step"),
    [
        (UNREACHABLE.set(host="nowhere.invalid"), "nowhere.invalid", "correct the host"),
        (UNREACHABLE.set(query={"surprise": "1"}), "surprise", "remove that option"),
    ],
)
def test_so_is_an_address_that_cannot_be_right(url: URL, reason: str, step: str) -> None:
    said = told(url)

    assert reason in said
    assert f"\nNext: {step}" in said
    assert DB_PASSWORD not in said


def test_a_database_that_refuses_is_named_with_the_next_step(guarded: URL) -> None:
    for url, reason, step in [
        (guarded.set(password="a guess"), "password authentication failed", "correct the user"),
        (guarded.set(database="nothing"), 'database "nothing" does not exist', "correct DB_URL"),
    ]:
        said = told(url)

        assert reason in said
        assert f"\nNext: {step}" in said
        assert DB_PASSWORD not in said


def test_so_is_one_without_the_right_to_make_tables(guarded: URL) -> None:
    said = told(guarded)

    assert "permission denied for schema public" in said
    assert "\nNext: grant the user of DB_URL" in said
    assert DB_PASSWORD not in said


WAITING = """SELECT pid FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event = 'advisory'"""


def test_a_stop_while_the_database_is_migrated_stops_the_migration(database_url: URL) -> None:
    url = database_url.set(database=f"{database_url.database}_waiting")
    create_database(url)
    given = NO_SETTINGS | SECRETS | {"PORT": str(free_port()), "DB_URL": url_text(url)}
    with closing(psycopg2.connect(url_text(url))) as other:
        sql = sql_on(other)
        other.autocommit = True  # each look is a new one
        sql("SELECT pg_advisory_lock(4843190)")  # as a migration elsewhere does
        with subprocess.Popen(
            [sys.executable, "app.py"], cwd=PROJECT, env=environment(given)
        ) as start:
            wait_until(lambda: sql(WAITING))
            [migration] = child_processes(start.pid)
            start.terminate()
            assert start.wait(TIMEOUT) == 128 + signal.SIGTERM
        with pytest.raises(ProcessLookupError):
            os.kill(migration, 0)


def test_a_database_that_is_ahead_of_the_code_is_left_alone(
    database_url: URL, elsewhere: Path
) -> None:
    url = database_url.set(database=f"{database_url.database}_ahead")
    create_database(url)
    with closing(psycopg2.connect(url_text(url))) as connection:
        with connection, connection.cursor() as cursor:
            cursor.execute("CREATE TABLE alembic_version AS SELECT '9999' AS version_num")

        said = refusal(APP, folder=elsewhere, DB_URL=url_text(url))

        assert said.count("9999") == 1
        assert said.startswith("Error: Can't locate")
        assert "\nNext: " in said
        with connection, connection.cursor() as cursor:
            cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
            assert cursor.fetchall() == [("alembic_version",)]


def test_flask_finds_the_application_and_its_routes_without_alembic() -> None:
    given = NO_SETTINGS | SECRETS | {"DB_URL": url_text(UNREACHABLE)}

    listed = run_python(PROJECT, "-X", "importtime", "-m", "flask", "routes", **given).stdout

    assert "/api/polka/webhooks" in listed
    assert "flask_sqlalchemy\n" in listed  # among all that was loaded
    assert "alembic\n" not in listed


@pytest.mark.skipif(shutil.which("psql") is None, reason="psql is not installed")
def test_psql_asks_the_database_of_db_url_with_its_password(guarded: URL) -> None:
    given = NO_SETTINGS | SECRETS | {"DB_URL": url_text(guarded)}
    ended = run_python(PROJECT, "-m", "flask", "psql", "--", "-Atc", "SELECT user", **given)

    assert (ended.returncode, ended.stdout) == (0, "learner\n")


def test_flask_brings_the_database_up_to_date(database_url: URL) -> None:
    url = database_url.set(database=f"{database_url.database}_new")
    create_database(url)

    with an_app(url) as app:
        flask = app.test_cli_runner()
        steps = ["check", "upgrade", "check"]
        ended = [flask.invoke(args=["db", step]).exit_code for step in steps]

    assert ended == [1, 0, 0]


def test_a_first_run_makes_what_it_needs_and_a_second_finds_what_the_first_kept(copy: Path) -> None:
    wrote = run_python(copy, "-m", "chirpy.devtools.first_run", ".env")
    account = {"email": an_email(), "password": PASSWORD}
    postgres = PrivatePostgres(copy / "instance" / "postgres")

    assert (wrote.returncode, wrote.stdout.count("\n")) == (0, 1)
    with Server(copy) as server:  # in the folder of the tests
        assert server.request("POST", "/api/users", account).status == 201
        assert stat.S_IMODE(postgres.data.stat().st_mode) == 0o700
        assert server.stop() == 0
    assert not (postgres.data / "postmaster.pid").exists()

    def start_again() -> float:
        begun = time.monotonic()
        with Server(copy) as server:
            took = time.monotonic() - begun
            assert server.request("POST", "/api/login", account).status == 200
        return took

    assert any(start_again() < SECOND_START for _ in range(TRIES))


def test_a_stop_while_workers_load_is_not_missed(copy: Path, database_url: URL) -> None:
    (copy / ".env").write_text(DOTENV)

    with Starting(copy, DB_URL=url_text(database_url), WORKERS="2") as server:
        server.process.terminate()
        assert server.process.wait(STOP_TIMEOUT) == 0
