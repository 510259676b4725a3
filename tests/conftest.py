"""Fixtures of all tests: a Postgres with the real migrations, applications, and servers.

One Postgres serves the whole session. Each process of pytest-xdist has its own database in it, and
its own server. Tests commit, and the database is emptied after each.
"""

import gc
import logging
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from io import StringIO
from pathlib import Path
from threading import Thread

import hypothesis
import psycopg2
import pytest
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck
from sqlalchemy import URL, make_url

from chirpy.accounts import passwords
from chirpy.devtools.postgres import EmbeddedPostgres
from chirpy.settings import Settings
from chirpy.settings.database_url import DRIVER
from chirpy.web.log_formatters import JSONFormatter
from tests.support.databases import (
    DELETE_ALL_ROWS,
    Sql,
    add_password_user,
    an_app,
    as_password_user,
    connected,
    migrate,
    new_database,
    settings_for,
    url_text,
)
from tests.support.server import Server, a_server, wait_until

CLUSTER_URL = "CHIRPY_TEST_CLUSTER"  # tells the processes of pytest-xdist where Postgres is
hypothesis.settings.register_profile(
    "chirpy",
    max_examples=30,
    database=None,  # a failing example is found again with the seed that is printed
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
hypothesis.settings.load_profile("chirpy")
hypothesis.settings.register_profile("fuzz", max_examples=1000)
PRODUCTION = {name: getattr(passwords, name) for name in ("HASHER", "DUMMY_HASH")}
passwords.HASHER = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)  # 20 ms less for each
passwords.DUMMY_HASH = passwords.HASHER.hash("")
SHARED_MEMORY = Path("/dev/shm")  # on Linux
MIN_MEMORY = 2**30  # bytes; a Postgres needs 50 MiB, and many containers have 64 MiB here
FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


def pytest_configure(config: pytest.Config) -> None:
    """Start Postgres in the main process, while pytest-xdist starts its processes."""
    os.umask(0o022)  # run by root, another user enters the folders that tests make
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # in a background job of a script
        signal.signal(signal.SIGINT, signal.default_int_handler)  # tests send it to servers
    gc.disable()  # until all is loaded
    if hasattr(config, "workerinput"):
        return
    folder = a_folder()
    postgres = EmbeddedPostgres(postgres_folder(folder), FAST)
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
    """Exclude all that is loaded now from garbage collection, which makes the tests faster."""
    gc.freeze()
    gc.enable()


def a_folder() -> Path:
    """Make a folder that Postgres can enter; run by root, it is another user.

    It is in memory if there is enough: databases are then created ten times as fast.
    """
    parent = None
    if os.access(SHARED_MEMORY, os.W_OK):
        memory = os.statvfs(SHARED_MEMORY)
        is_large = memory.f_bavail * memory.f_frsize > MIN_MEMORY
        parent = SHARED_MEMORY if is_large and not memory.f_flag & os.ST_NOEXEC else None
    folder = Path(tempfile.mkdtemp(prefix="chirpy-test-", dir=parent))
    folder.chmod(0o755)
    return folder


def postgres_folder(parent: Path) -> Path:
    """Make a folder for an embedded Postgres, where root would use one in /var/lib, on disk."""
    folder = parent / "postgres"
    if os.geteuid() == 0:
        folder.mkdir(mode=0o700)
        shutil.chown(folder, "nobody")
    return folder


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that Postgres can enter, unlike `tmp_path`."""
    folder = a_folder()
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def cluster_url() -> URL:
    """Wait until Postgres is ready, and return its URL."""
    url = make_url(os.environ[CLUSTER_URL]).set(drivername=DRIVER)

    def is_ready() -> bool:
        with suppress(psycopg2.OperationalError):
            psycopg2.connect(url_text(as_password_user(url))).close()
            return True
        return False

    wait_until(is_ready)
    return url


@pytest.fixture(scope="session")
def database_url(cluster_url: URL, worker_id: str) -> Iterator[URL]:
    with new_database(cluster_url.set(database="chirpy"), worker_id) as url:
        migrate(url)
        yield url


@pytest.fixture
def full_hash_cost(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hash passwords as in production. Servers, which are other processes, always do."""
    for name, value in PRODUCTION.items():
        monkeypatch.setattr(passwords, name, value)


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
def crashable_postgres() -> Iterator[EmbeddedPostgres]:
    """A Postgres that tests may crash, if they start it again."""
    folder = a_folder()
    postgres = EmbeddedPostgres(postgres_folder(folder), {"fsync": "off"})
    postgres.ensure_running()
    migrate(make_url(postgres.url).set(drivername=DRIVER))
    yield postgres
    postgres.destroy()
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def crashable_server(crashable_postgres: EmbeddedPostgres) -> Iterator[Server]:
    """A server on that Postgres, whose workers tests may kill."""
    with a_server(make_url(crashable_postgres.url), WORKERS="2", THREADS="4") as server:
        yield server


@pytest.fixture
def emptied_database(session_sql: Sql) -> Iterator[None]:
    """Delete all rows after the test, and count visits from 0: other tests may leave some."""
    session_sql("SELECT setval('visits', 1, false)")
    yield
    session_sql(DELETE_ALL_ROWS)


@pytest.fixture
def app(session_app: Flask, emptied_database: None) -> Flask:
    return session_app


@pytest.fixture
def server(session_server: Server, emptied_database: None) -> Server:
    """`python app.py`, which no test stops or breaks."""
    return session_server


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture(scope="session")
def session_sql(database_url: URL) -> Iterator[Sql]:
    with connected(database_url) as sql:
        yield sql


@pytest.fixture
def sql(session_sql: Sql, emptied_database: None) -> Sql:
    """Run a statement without the application."""
    return session_sql


@pytest.fixture
def log() -> Iterator[StringIO]:
    """Collect the lines of the application's log, each a JSON object."""
    handler = logging.StreamHandler(stream := StringIO())
    handler.setFormatter(JSONFormatter())
    logging.getLogger().addHandler(handler)
    yield stream
    logging.getLogger().removeHandler(handler)
