"""Every test meets the real database: migrated as in production, committed to, emptied afterwards.

One Postgres serves the whole session; each pytest-xdist worker has a database of its own in it, and
a server on that. What is slow to make is made once, for all tests that leave it as it was.
"""

import gc
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import Any

import hypothesis
import psycopg2
import pytest
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck
from sqlalchemy import URL, make_url

from chirpy.accounts import passwords
from chirpy.devtools.postgres import PrivatePostgres
from chirpy.settings import DRIVER, Settings
from tests.support.databases import (
    DELETE_ALL_ROWS,
    Sql,
    add_password_user,
    an_app,
    as_password_user,
    create_database,
    migrate,
    settings_for,
    sql_on,
    url_text,
)
from tests.support.server import Server, a_server, wait_until

CLUSTER_URL = "CHIRPY_TEST_CLUSTER"  # how the workers of pytest-xdist find the session's Postgres
# Any example is found again by the seed that is printed; none is kept, and a machine may be busy.
hypothesis.settings.register_profile(
    "chirpy",
    max_examples=30,
    database=None,
    deadline=None,
    print_blob=True,
    # One application for all examples: each has users of its own.
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
hypothesis.settings.load_profile("chirpy")
FULL_HASHER = passwords.HASHER
CHEAP_HASHER = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
MEMORY = Path("/dev/shm")  # on Linux
ROOM = 2**30  # bytes; a Postgres takes 50 MiB, a container often has no more than 64
QUICK = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


def pytest_configure(config: pytest.Config) -> None:
    """Start the session's Postgres, in the process that starts the workers and while they start."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as for what a script runs with `&`
        signal.signal(signal.SIGINT, signal.default_int_handler)  # tests press Ctrl-C
    if hasattr(config, "workerinput"):
        return
    folder = a_folder()
    postgres = PrivatePostgres(folder / "postgres", QUICK)
    os.environ[CLUSTER_URL] = postgres.url

    def start() -> None:
        postgres.ensure_running()
        add_password_user(postgres)

    starting = Thread(target=start)
    starting.start()

    def clean_up() -> None:
        starting.join()
        postgres.destroy()
        shutil.rmtree(folder)

    config.add_cleanup(clean_up)


def pytest_collection_finish() -> None:
    """Collect garbage among what the tests leave, not among all that was loaded for them."""
    gc.freeze()


def a_folder() -> Path:
    """A new folder that everybody may enter, unlike pytest's: as root, Postgres is another user.

    In memory, if that has room for a Postgres: there a database is made in a tenth of the time.
    """
    parent = None
    if MEMORY.is_dir():
        memory = os.statvfs(MEMORY)
        has_room = memory.f_bavail * memory.f_frsize > ROOM
        if has_room and not memory.f_flag & os.ST_NOEXEC and os.access(MEMORY, os.W_OK):
            parent = MEMORY
    folder = Path(tempfile.mkdtemp(prefix="chirpy-test-", dir=parent))
    folder.chmod(0o755)
    return folder


@pytest.fixture
def folder() -> Iterator[Path]:
    """A new folder that everybody may enter."""
    folder = a_folder()
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def cluster_url() -> URL:
    """The Postgres of all tests, once it is ready for them."""
    url = make_url(os.environ[CLUSTER_URL]).set(drivername=DRIVER)

    def is_ready() -> bool:
        with suppress(psycopg2.OperationalError):
            psycopg2.connect(url_text(as_password_user(url))).close()
            return True
        return False

    wait_until(is_ready)
    return url


@pytest.fixture(scope="session")
def database_url(cluster_url: URL, worker_id: str) -> URL:
    """A new database of this worker, brought up to date by the real migrations."""
    url = cluster_url.set(database=f"chirpy_{worker_id}")
    create_database(url)
    migrate(url)
    return url


@pytest.fixture(scope="session", autouse=True)
def cheap_hash_cost() -> Iterator[None]:
    """Passwords hashed at hardly any cost in this process: a tenth of the suite would be hashing.

    Servers in processes of their own, and whoever asks for `full_hash_cost`, hash as in production.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "HASHER", CHEAP_HASHER)
        yield


@pytest.fixture
def full_hash_cost(monkeypatch: pytest.MonkeyPatch) -> None:
    """Passwords hashed as in production."""
    monkeypatch.setattr(passwords, "HASHER", FULL_HASHER)


@pytest.fixture(scope="session")
def settings(database_url: URL) -> Settings:
    return settings_for(database_url)


@pytest.fixture(scope="session")
def session_app(database_url: URL) -> Iterator[Flask]:
    with an_app(database_url) as app:
        yield app


@pytest.fixture(scope="session")
def session_server(database_url: URL) -> Iterator[Server]:
    with a_server(database_url, THREADS="8") as server:
        yield server


@pytest.fixture(scope="session")
def crashable_postgres() -> Iterator[PrivatePostgres]:
    """A Postgres to crash; whoever does starts it again."""
    folder = a_folder()
    postgres = PrivatePostgres(folder / "postgres", {"fsync": "off"})  # crashed, it loses nothing
    postgres.ensure_running()
    migrate(make_url(postgres.url).set(drivername=DRIVER))
    yield postgres
    postgres.destroy()
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def crashable_server(crashable_postgres: PrivatePostgres) -> Iterator[Server]:
    """A server on the Postgres to crash, with workers to kill."""
    with a_server(make_url(crashable_postgres.url), WORKERS="2", THREADS="4") as server:
        yield server


@pytest.fixture
def emptied_database(connection: Any) -> Iterator[None]:
    """What a test leaves in the database is gone after it."""
    yield
    connection.cursor().execute(DELETE_ALL_ROWS)


@pytest.fixture
def app(session_app: Flask, emptied_database: None) -> Flask:
    """The application, on a database that is emptied afterwards."""
    return session_app


@pytest.fixture
def server(session_server: Server, emptied_database: None) -> Server:
    """`python app.py`, which nobody stops or breaks, on a database that is emptied afterwards."""
    return session_server


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture(scope="session")
def connection(database_url: URL) -> Iterator[Any]:
    connection = psycopg2.connect(url_text(database_url))
    connection.autocommit = True
    yield connection
    connection.close()


@pytest.fixture
def sql(connection: Any, emptied_database: None) -> Sql:
    """Ask the database itself, past the application; it is emptied afterwards."""
    return sql_on(connection)
