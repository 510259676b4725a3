"""Every test meets the real database: migrated as in production, committed to, emptied afterwards.

One Postgres serves the whole session; each pytest-xdist worker has a database of its own in it.
"""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from alembic import command
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import URL, make_url

from chirpy import create_app
from chirpy.database import db
from chirpy.postgres import PrivatePostgres
from chirpy.serving import alembic_config
from chirpy.settings import DRIVER, Settings

POLKA_KEY = "f271c81ff7084ee5b99a5091b42d486e"
CLUSTER_URL = "CHIRPY_TEST_CLUSTER"  # how the workers of pytest-xdist find the session's Postgres
QUICK = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}

Sql = Callable[..., list[tuple[Any, ...]]]


def pytest_configure(config: pytest.Config) -> None:
    """Start the session's Postgres, in the process that starts the workers."""
    if hasattr(config, "workerinput"):
        return
    folder = Path(tempfile.mkdtemp(prefix="chirpy-tests-"))
    folder.chmod(0o711)  # run by root, Postgres drops to a user who must get in
    postgres = PrivatePostgres(folder / "postgres", QUICK)

    def clean_up() -> None:
        postgres.destroy()
        shutil.rmtree(folder)

    config.add_cleanup(clean_up)
    postgres.ensure_running()
    os.environ[CLUSTER_URL] = postgres.url


@pytest.fixture(scope="session")
def database_url(worker_id: str) -> URL:
    """A new database of this worker, brought up to date by the real migrations."""
    cluster = make_url(os.environ[CLUSTER_URL]).set(drivername=DRIVER)
    url = cluster.set(database=f"chirpy_{worker_id}")
    create_database(url)
    app = create_app(a_settings(url))
    with app.app_context():
        command.upgrade(alembic_config(), "head")
        db.engine.dispose()
    return url


def create_database(url: URL) -> None:
    """Create the database that `url` names, on the server that it names."""
    with_postgres = url.set(drivername="postgresql", database="postgres")
    connection = psycopg2.connect(with_postgres.render_as_string(hide_password=False))
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(f'CREATE DATABASE "{url.database}"')
    connection.close()


def a_settings(url: URL, **changes: Any) -> Settings:
    """Settings as for development, on the database at `url`."""
    usual: dict[str, Any] = {
        "db_url": url,
        "platform": "dev",
        "jwt_secret": "x" * 32,
        "polka_key": POLKA_KEY,
        "threads": 16,
    }
    return Settings(**usual | changes)


@pytest.fixture(scope="session")
def settings(database_url: URL) -> Settings:
    return a_settings(database_url)


@pytest.fixture(scope="session")
def session_app(settings: Settings) -> Iterator[Flask]:
    app = create_app(settings)
    yield app
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def emptied(sql: Sql) -> Iterator[None]:
    """What a test leaves in the database is gone after it."""
    yield
    sql("TRUNCATE users, webhook_events CASCADE")
    sql("ALTER SEQUENCE visits RESTART")


@pytest.fixture
def app(session_app: Flask, emptied: None) -> Flask:
    """The application, on a database that is emptied afterwards."""
    return session_app


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture(scope="session")
def connection(database_url: URL) -> Iterator[Any]:
    url = database_url.set(drivername="postgresql")
    connection = psycopg2.connect(url.render_as_string(hide_password=False))
    connection.autocommit = True
    yield connection
    connection.close()


@pytest.fixture
def sql(connection: Any) -> Sql:
    """Ask the database itself, past the application: `sql("SELECT …", parameter, …)`."""

    def ask(statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
        with connection.cursor() as cursor:
            cursor.execute(statement, parameters)
            return cursor.fetchall() if cursor.description else []

    return ask
