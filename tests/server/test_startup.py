"""The start of `python app.py` and of `flask` commands: it works, or one message says why not."""

import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from click import ClickException
from sqlalchemy import URL

from chirpy.devtools.postgres import EmbeddedPostgres
from chirpy.server.migrations import MigrationFailed, version_at_start
from chirpy.server.port import PortUnavailable, reserve_port
from chirpy.server.serving import url_to_open
from tests.support.databases import (
    DB_PASSWORD,
    UNREACHABLE,
    alembic_config,
    an_app,
    as_password_user,
    connected,
    new_database,
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

APP = str(PROJECT / "app.py")
MAX_START_TIME = 3  # seconds, if nothing must be installed or created
EXPLAINED = (MigrationFailed, ClickException)
DATABASE_PROBLEMS: dict[str, tuple[dict[str, Any], str, str]] = {
    "unknown host": ({"host": "x.invalid", "query": {}}, "x.invalid", "correct the host"),
    "unknown option": ({"query": {"surprise": "1"}}, "surprise", "remove that option"),
    "wrong password": ({"password": "wrong"}, "authentication failed", "correct the user"),
    "unknown database": ({"database": "none"}, '"none" does not exist', "correct DB_URL"),
    "no right": ({}, "permission denied for schema public", "grant the user of DB_URL"),
}


@pytest.fixture
def clone(folder: Path) -> Iterator[Path]:
    """A folder with Chirpy as it is in a new clone: without `.env` and data."""
    clone = folder / "chirpy"
    for part in ("chirpy", "migrations"):
        shutil.copytree(PROJECT / part, clone / part)
    for file in ("app.py", ".env.example"):
        shutil.copy(PROJECT / file, clone)
    yield clone
    EmbeddedPostgres(clone / "instance" / "postgres").destroy()


def failed_start(*arguments: str, folder: Path = PROJECT, **settings: str) -> str:
    """Return what Python prints when it fails, without a traceback and without a secret."""
    settings = NO_SETTINGS | SECRETS | {"PORT": str(free_port())} | settings
    result = run_python(folder, *arguments, **settings)
    assert result.returncode == 1
    for text in ("Traceback", DB_PASSWORD, *SECRETS.values()):
        assert text not in result.stdout
    return result.stdout


def test_start_names_all_wrong_and_missing_settings_before_it_creates_anything(clone: Path) -> None:
    result = run_python(clone, "app.py", PORT="eighty", PLATFORM="staging")

    named = [line.split()[0] for line in result.stdout.splitlines()[1:-1]]
    assert sorted(named) == ["JWT_SECRET", "PLATFORM", "POLKA_KEY", "PORT"]
    assert result.returncode == 1
    assert not (clone / "instance").exists()


@pytest.mark.parametrize("host", ["a..b", "x" * 64, "192.0.2.1"])
def test_start_on_a_wrong_host_names_the_setting(host: str) -> None:
    with pytest.raises(PortUnavailable, match=r"\nNext: correct HOST$"):
        reserve_port(host, free_port())


def test_start_on_a_port_in_use_suggests_another(database_url: URL) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        message = failed_start(APP, DB_URL=url_text(database_url), PORT=str(port))

    assert f"127.0.0.1 port {port}: Address already in use" in message
    assert f"PORT={port + 1} make run" in message
    assert len(message.splitlines()) == 2


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8080"),
        ("0.0.0.0", "http://localhost:8080"),
        ("::", "http://localhost:8080"),
        ("::1", "http://[::1]:8080"),
    ],
)
def test_greeting_shows_a_url_that_can_be_opened(host: str, url: str) -> None:
    assert url_to_open(host, 8080) == url


def test_flask_db_upgrade_without_a_database_is_one_message() -> None:
    message = failed_start("-m", "flask", "db", "upgrade", DB_URL=url_text(UNREACHABLE))

    assert "Connection refused" in message
    assert "Next: start Postgres" in message


@pytest.mark.parametrize(
    ("changes", "reason", "step"), DATABASE_PROBLEMS.values(), ids=DATABASE_PROBLEMS
)
def test_database_problem_is_explained_with_the_next_step(
    cluster_url: URL, changes: dict[str, Any], reason: str, step: str
) -> None:
    def migrate() -> None:
        version_at_start()
        command.upgrade(alembic_config(), "head")

    url = as_password_user(cluster_url).set(**changes)
    with an_app(url) as app, app.app_context(), pytest.raises(EXPLAINED) as failure:
        migrate()

    message = str(failure.value)
    assert reason in message
    assert f"\nNext: {step}" in message
    assert DB_PASSWORD not in message


@pytest.mark.faults
def test_stop_during_the_migration_also_stops_the_migration(database_url: URL) -> None:
    waiting = (
        "SELECT pid FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event = 'advisory'"
    )
    with new_database(database_url, "waiting") as url, connected(url) as sql:
        settings = NO_SETTINGS | SECRETS | {"PORT": str(free_port()), "DB_URL": url_text(url)}
        sql("SELECT pg_advisory_lock(4843190)")  # the lock of migrations
        with subprocess.Popen([sys.executable, APP], env=environment(settings)) as start:
            wait_until(lambda: sql(waiting))
            [migration] = child_processes(start.pid)
            start.terminate()
            assert start.wait(TIMEOUT) == 128 + signal.SIGTERM
        with pytest.raises(ProcessLookupError):
            os.kill(migration, 0)


def test_newer_database_is_not_changed_and_files_in_the_folder_are_not_read(
    database_url: URL, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("THREADS=none\n")
    (tmp_path / ".flaskenv").write_text("FLASK_APP=another\n")
    (tmp_path / "click.py").write_text("raise SystemExit('read')\n")
    with new_database(database_url, "newer") as url, connected(url) as sql:
        sql("CREATE TABLE alembic_version AS SELECT '9999' AS version_num")

        message = failed_start(APP, folder=tmp_path, DB_URL=url_text(url))

        assert sql("SELECT relname FROM pg_stat_user_tables") == [("alembic_version",)]
    assert message.startswith("Error: Can't locate")
    assert message.count("9999") == 1
    assert "\nNext: " in message


def test_flask_loads_the_application_without_alembic() -> None:
    settings = NO_SETTINGS | SECRETS | {"DB_URL": url_text(UNREACHABLE)}

    printed = run_python(PROJECT, "-X", "importtime", "-m", "flask", "routes", **settings).stdout

    assert "/api/polka/webhooks" in printed
    assert "flask_sqlalchemy\n" in printed
    assert "alembic\n" not in printed


def test_first_start_creates_the_database_and_later_starts_are_fast(clone: Path) -> None:
    result = run_python(clone, "-m", "chirpy.devtools.first_run", ".env")
    user = {"email": an_email(), "password": PASSWORD}
    postgres = EmbeddedPostgres(clone / "instance" / "postgres")

    assert (result.returncode, result.stdout.count("\n")) == (0, 1)
    with Server(clone, WORKERS="1") as server:
        assert server.request("POST", "/api/users", user).status == 201
        assert stat.S_IMODE(postgres.data.stat().st_mode) == 0o700
        assert server.stop() == 0
    wait_until(lambda: not (postgres.data / "postmaster.pid").exists())

    def start_time() -> float:
        begin = time.monotonic()
        with Server(clone, WORKERS="1") as server:
            seconds = time.monotonic() - begin
            assert server.request("POST", "/api/login", user).status == 200
        return seconds

    assert any(start_time() < MAX_START_TIME for _ in range(3))  # other tests use the CPUs too


@pytest.mark.faults
def test_stop_while_workers_load_the_application_is_not_lost(
    clone: Path, database_url: URL
) -> None:
    with (clone / "app.py").open("a") as file:
        file.write("\nif __name__ == 'app': import time; time.sleep(5)\n")

    class StartingServer(Server):
        """Is ready when its workers exist, which is before they serve."""

        def is_ready(self) -> bool:
            return bool(self.workers)

    settings = SECRETS | SMALL_SERVER | {"WORKERS": "2", "DB_URL": url_text(database_url)}
    with StartingServer(clone, **settings) as server:
        server.process.terminate()
        assert server.process.wait(STOP_TIMEOUT) == 0
