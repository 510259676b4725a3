"""Create databases, run SQL on them, and make applications that use them."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any
from unittest import mock

import psycopg2
from alembic import command
from alembic.config import Config
from flask import Flask
from sqlalchemy import URL, Engine, make_url

from chirpy import create_app
from chirpy.database.connecting import ConnectArguments
from chirpy.database.engine import db
from chirpy.database.migration_state import MIGRATIONS
from chirpy.devtools.commands import register_commands
from chirpy.devtools.postgres import EmbeddedPostgres
from chirpy.settings import Settings
from chirpy.settings.database_url import DRIVER

POLKA_KEY = "f271c81ff7084ee5b99a5091b42d486e"
DB_PASSWORD = "only-the-database-knows"
UNREACHABLE = make_url(f"{DRIVER}://learner:{DB_PASSWORD}@127.0.0.1:1/chirpy")

# TRUNCATE and RESTART create new files, which takes ten times as long with this few rows.
DELETE_ALL_ROWS = """DELETE FROM users; DELETE FROM webhook_events; DELETE FROM attempt_counters;
    SELECT setval('visits', 1, false)"""

Sql = Callable[..., list[tuple[Any, ...]]]


@contextmanager
def connected(url: URL) -> Iterator[Sql]:
    """Yield a function that runs and commits a statement: `sql("SELECT …", parameter, …)`."""
    with closing(psycopg2.connect(url_text(url))) as connection:
        connection.autocommit = True

        def sql(statement: str, *parameters: Any, **named: Any) -> list[tuple[Any, ...]]:
            with connection.cursor() as cursor:
                cursor.execute(statement, named or parameters)
                return cursor.fetchall() if cursor.description else []

        yield sql


def use_cursor_class(app: Flask, cursors: type[Any]) -> None:
    """Let `app` run its statements with cursors of this class."""
    with app.app_context():
        db.engine.dispose()
        for engine in db.engines.values():
            patch_connect(
                engine, lambda connect, options: connect(**options | {"cursor_factory": cursors})
            )


def patch_connect(engine: Engine, connect: Callable[..., Any]) -> None:
    """Let `engine` call `connect(original, options)` for each new connection."""
    original = engine.dialect.connect
    mock.patch.object(
        engine.dialect, "connect", lambda **options: connect(original, options)
    ).start()


@contextmanager
def new_database(url: URL, suffix: str, options: str = "") -> Iterator[URL]:
    """Create a database that is named as the one at `url` with a suffix; drop it at the end."""
    url = url.set(database=f"{url.database}_{suffix}")
    with connected(url.set(database="postgres")) as sql:
        sql(f'CREATE DATABASE "{url.database}" {options}')
        yield url
        sql(f'DROP DATABASE "{url.database}" WITH (FORCE)')


def add_password_user(postgres: EmbeddedPostgres) -> None:
    """Add a user who must give a password. The embedded Postgres asks no other user for one."""
    rules = postgres.data / "pg_hba.conf"
    rules.write_text(f"local all learner scram-sha-256\n{rules.read_text()}")
    with connected(make_url(postgres.url)) as sql:
        sql("SELECT pg_reload_conf()")
        sql("CREATE ROLE learner LOGIN PASSWORD %s", DB_PASSWORD)


def as_password_user(url: URL) -> URL:
    """Return the URL of the same database for the user who must give a password."""
    return url.set(username="learner", password=DB_PASSWORD)


def alembic_config() -> Config:
    """Return the configuration with which Alembic finds the migrations."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    return config


def migrate(url: URL) -> None:
    """Apply all migrations to the database at `url`."""
    with an_app(url) as app, app.app_context():
        command.upgrade(alembic_config(), "head")


def url_text(url: URL) -> str:
    """Return the URL as a user writes it into DB_URL."""
    return url.set(drivername="postgresql").render_as_string(hide_password=False)


def settings_for(url: URL, **changes: Any) -> Settings:
    """Return settings for development on the database at `url`."""
    values: dict[str, Any] = {
        "db_url": url,
        "platform": "dev",
        "jwt_secret": "x" * 32,
        "polka_key": POLKA_KEY,
        "threads": 16,
    }
    return Settings(**values | changes)


@contextmanager
def an_app(url: URL, connect: ConnectArguments | None = None, **changes: Any) -> Iterator[Flask]:
    """Yield a new application on the database at `url`, then close its connections."""
    app = create_app(settings_for(url, **changes), connect)
    register_commands(app, None)
    yield app
    with app.app_context():
        db.engine.dispose()
