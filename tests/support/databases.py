"""The databases of the tests, and applications on them."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import psycopg2
from alembic import command
from alembic.config import Config
from flask import Flask
from sqlalchemy import URL, event

from chirpy import create_app
from chirpy.database.engine import Connect, db
from chirpy.devtools.commands import register_commands
from chirpy.devtools.postgres import PrivatePostgres
from chirpy.server.migrations import MIGRATIONS
from chirpy.settings import Settings

POLKA_KEY = "f271c81ff7084ee5b99a5091b42d486e"
DB_PASSWORD = "only-the-database-knows"

# Not TRUNCATE, nor RESTART: where there are hardly any rows, new files take ten times as long.
DELETE_ALL_ROWS = "DELETE FROM users; DELETE FROM webhook_events; SELECT setval('visits', 1, false)"

Sql = Callable[..., list[tuple[Any, ...]]]


def sql_on(connection: Any) -> Sql:
    """Ask on this connection: `sql("SELECT …", parameter, …)`."""

    def ask(statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
        with connection.cursor() as cursor:
            cursor.execute(statement, parameters)
            return cursor.fetchall() if cursor.description else []

    return ask


def use_cursor_class(app: Flask, cursors: type[Any]) -> None:
    """Let whatever `app` tells Postgres from now on go through cursors of this class."""

    def choose(_dialect: object, _record: object, _args: object, kwargs: dict[str, Any]) -> None:
        kwargs["cursor_factory"] = cursors

    with app.app_context():
        db.engine.dispose()
        event.listen(db.engine, "do_connect", choose)


def create_database(url: URL) -> None:
    """Create the database that `url` names, on the server that it names."""
    connection = psycopg2.connect(url_text(url.set(database="postgres")))
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(f'CREATE DATABASE "{url.database}"')
    connection.close()


def add_password_user(postgres: PrivatePostgres) -> None:
    """Add the one user that is asked for a password; private Postgres asks nobody."""
    rules = postgres.data / "pg_hba.conf"
    rules.write_text(f"local all learner scram-sha-256\n{rules.read_text()}")
    with closing(psycopg2.connect(postgres.url)) as connection:
        connection.autocommit = True
        sql = sql_on(connection)
        sql("SELECT pg_reload_conf()")
        sql("CREATE ROLE learner LOGIN PASSWORD %s", DB_PASSWORD)


def as_password_user(url: URL) -> URL:
    """The address of the same database for the user who is asked for a password."""
    return url.set(username="learner", password=DB_PASSWORD)


def alembic_config() -> Config:
    """What Alembic must know before it runs `migrations/env.py`."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    return config


def migrate(url: URL) -> None:
    """Bring the database at `url` up to date by the real migrations."""
    with an_app(url) as app, app.app_context():
        command.upgrade(alembic_config(), "head")


def url_text(url: URL) -> str:
    """`url` as people write it."""
    return url.set(drivername="postgresql").render_as_string(hide_password=False)


def settings_for(url: URL, **changes: Any) -> Settings:
    """Settings as for development, on the database at `url`."""
    usual: dict[str, Any] = {
        "db_url": url,
        "platform": "dev",
        "jwt_secret": "x" * 32,
        "polka_key": POLKA_KEY,
        "threads": 16,
    }
    return Settings(**usual | changes)


@contextmanager
def an_app(url: URL, connect: Connect | None = None, **changes: Any) -> Iterator[Flask]:
    """An application of its own on the database at `url`, all of whose connections end with it."""
    app = create_app(settings_for(url, **changes), connect)
    register_commands(app, None)
    yield app
    with app.app_context():
        db.engine.dispose()
