"""What somebody meets who starts Chirpy: a server within seconds, or one message that helps."""

import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest
from sqlalchemy import URL, make_url

from chirpy.postgres import PrivatePostgres
from tests.conftest import create_database
from tests.factories import PASSWORD, an_email
from tests.server import PROJECT, SECRETS, SMALL, UNFORCED, UNSET, Server, a_free_port, run, written

SECOND_START = 3  # seconds, with everything in place
DB_PASSWORD = "only-the-database-knows"
DOTENV = "".join(f"{name}={value}\n" for name, value in (SECRETS | SMALL).items())


class Starting(Server):
    """A server whose workers exist, but do not serve yet."""

    def is_ready(self) -> bool:
        return bool(self.workers)


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that everybody may enter: run by root, Postgres drops to another user."""
    path = Path(tempfile.mkdtemp(prefix="chirpy-test-"))
    path.chmod(0o711)
    yield path
    shutil.rmtree(path)


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
def guarded(folder: Path) -> Iterator[URL]:
    """The address of a database that asks for a password, which is part of it."""
    postgres = PrivatePostgres(folder / "postgres", {"fsync": "off"})
    with closing(psycopg2.connect(**postgres.ensure_running())) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(f"CREATE ROLE learner LOGIN PASSWORD '{DB_PASSWORD}'")
            rules = postgres.data / "pg_hba.conf"
            rules.write_text("local all learner scram-sha-256\n" + rules.read_text())
            cursor.execute("SELECT pg_reload_conf()")
    yield make_url(postgres.url).set(username="learner", password=DB_PASSWORD)
    postgres.destroy()


def refusal(*arguments: str, **given: str) -> str:
    """What is printed instead of a start: never a traceback, never a secret."""
    ended = run(PROJECT, *arguments, **UNSET | SECRETS | {"PORT": str(a_free_port())} | given)
    assert ended.returncode == 1
    assert "Traceback" not in ended.stdout
    assert not [it for it in (*SECRETS.values(), DB_PASSWORD) if it in ended.stdout]
    return ended.stdout


def test_settings_that_are_missing_or_wrong_are_all_named_before_anything_starts(
    copy: Path,
) -> None:
    ended = run(copy, "app.py", PORT="eighty", PLATFORM="staging")

    assert ended.returncode == 1
    named = [line.split()[0] for line in ended.stdout.splitlines()[1:]]
    assert sorted(named) == ["JWT_SECRET", "PLATFORM", "POLKA_KEY", "PORT"]
    assert not (copy / "instance").exists()


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        (f"postgres://learner:{DB_PASSWORD}@127.0.0.1:1/chirpy", "Connection refused"),
        (f"postgres://learner:{DB_PASSWORD}@nowhere.invalid/chirpy", "nowhere.invalid"),
        (f"postgres://learner:{DB_PASSWORD}@127.0.0.1/chirpy?surprise=1", "surprise"),
    ],
)
def test_a_database_that_cannot_be_reached_is_named_with_the_next_step(
    url: str, reason: str
) -> None:
    said = refusal("app.py", DB_URL=url)

    assert reason in said
    assert "\nNext: " in said


def test_a_database_that_refuses_is_named_with_the_next_step(guarded: URL) -> None:
    for url, reason, step in [
        (guarded.set(password="a guess"), "password authentication failed", "correct the user"),
        (guarded.set(database="nothing"), 'database "nothing" does not exist', "correct DB_URL"),
        (guarded, "permission denied for schema public", "grant the user of DB_URL"),
    ]:
        said = refusal("app.py", DB_URL=written(url))

        assert reason in said
        assert f"\nNext: {step}" in said


def test_a_database_that_is_ahead_of_the_code_is_left_alone(database_url: URL) -> None:
    url = database_url.set(database=f"{database_url.database}_ahead")
    create_database(url)
    with closing(psycopg2.connect(written(url))) as connection:
        with connection, connection.cursor() as cursor:
            cursor.execute("CREATE TABLE alembic_version AS SELECT '9999' AS version_num")

        said = refusal("app.py", DB_URL=written(url))

        assert "9999" in said
        assert "\nNext: " in said
        with connection, connection.cursor() as cursor:
            cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
            assert cursor.fetchall() == [("alembic_version",)]


@pytest.mark.parametrize("command", [("db", "upgrade"), ("db", "current")])
def test_flask_says_the_same_of_a_database_that_cannot_be_reached(command: tuple[str, ...]) -> None:
    url = f"postgres://learner:{DB_PASSWORD}@127.0.0.1:1/chirpy"
    said = refusal("-m", "flask", *command, DB_URL=url)

    assert "Connection refused" in said
    assert "Next: start Postgres" in said


def test_flask_shows_the_routes_and_brings_the_database_up_to_date(database_url: URL) -> None:
    url = database_url.set(database=f"{database_url.database}_new")
    create_database(url)

    def flask(*command: str) -> str:
        given = UNSET | SECRETS | {"DB_URL": written(url)}
        ended = run(PROJECT, "-m", "flask", *command, **given)
        assert ended.returncode == 0, ended.stdout
        return ended.stdout

    assert "/api/polka/webhooks" in flask("routes")
    flask("db", "upgrade")
    assert "(head)" in flask("db", "current")


def test_chirpy_brings_its_own_postgres_and_keeps_what_is_in_it(copy: Path) -> None:
    (copy / ".env").write_text(DOTENV)
    account = {"email": an_email(), "password": PASSWORD}
    postgres = PrivatePostgres(copy / "instance" / "postgres")

    with Server(copy) as server:
        assert server.ask("POST", "/api/users", account).status == 201
        assert stat.S_IMODE(postgres.data.stat().st_mode) == 0o700
        assert server.stop() == 0
    assert not (postgres.data / "postmaster.pid").exists()

    begun = time.monotonic()
    with Server(copy) as server:
        took = time.monotonic() - begun
        assert server.ask("POST", "/api/login", account).status == 200
    assert took < SECOND_START


def test_the_first_run_writes_what_a_start_from_any_folder_reads(
    copy: Path, database_url: URL
) -> None:
    wrote = run(copy, "-m", "chirpy.first_run", ".env")

    assert (wrote.returncode, wrote.stdout.count("\n")) == (0, 1)
    with Server(copy, DB_URL=written(database_url)) as server:  # in the folder of the tests
        assert server.ask("POST", "/admin/reset").status == 200
    assert not (copy / "instance").exists()


def test_a_stop_while_workers_load_is_not_missed(copy: Path, database_url: URL) -> None:
    (copy / ".env").write_text(DOTENV)

    with Starting(copy, DB_URL=written(database_url), WORKERS="2") as server:
        server.process.terminate()
        assert server.process.wait(UNFORCED) == 0
