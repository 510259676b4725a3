"""Migrate the database before the server starts, and provide `flask db`.

Alembic is imported only where it is needed: it would take a fifth of every start, and 9 MiB in
each worker.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import click
from flask import Flask
from flask.cli import ScriptInfo
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, ProgrammingError

from chirpy.database.engine import db
from chirpy.database.explanations import explain
from chirpy.settings import current_settings

MIGRATIONS = Path(__file__).parents[2] / "migrations"
APPLICATION = MIGRATIONS.with_name("app.py")
APPLIED_VERSION = text("SELECT version_num FROM alembic_version")


class MigrationFailed(Exception):
    """The database cannot be migrated. The text says why and what to do next."""


class MigrationCommands(click.Command):
    """`flask db`. Flask-Migrate is imported when it is called."""

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,
    ) -> click.Context:
        from flask_migrate import Migrate

        app = (parent or click.Context(self)).ensure_object(ScriptInfo).load_app()
        Migrate(app, db, directory=str(MIGRATIONS))  # replaces this command
        return app.cli.commands["db"].make_context(info_name, args, parent, **extra)


migration_commands = MigrationCommands("db", help="Perform database migrations.")


def migrate(app: Flask) -> None:
    """Apply the missing migrations, by `flask db upgrade` in a process of its own.

    Raise MigrationFailed, or SystemExit when `flask db upgrade` has printed why.
    """
    with app.app_context():
        if applied_version() == latest_version():
            return
        url = current_settings().db_url
    # -P, and no .env of Flask's own: the current folder must not matter.
    command = [sys.executable, "-P", "-m", "flask", "--app", str(APPLICATION), "db", "upgrade"]
    settings = {
        "DB_URL": url.render_as_string(hide_password=False) if url else "",
        "FLASK_SKIP_DOTENV": "1",
    }
    with stopped_together():
        code = subprocess.run(command, env=os.environ | settings, check=False).returncode
    if code < 0:
        raise MigrationFailed(f"The migration was killed by signal {-code}.\nNext: start again")
    if code > 0:
        sys.exit(1)


@contextmanager
def stopped_together() -> Iterator[None]:
    """Let SIGTERM and Ctrl-C end this process together with the one that it waits for."""

    def end(number: int, _: object) -> NoReturn:
        sys.exit(128 + number)

    before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def applied_version() -> str | None:
    """Return the latest migration applied to the database. Raise MigrationFailed."""
    try:
        with db.engine.connect() as connection:
            version: str | None = connection.scalar(APPLIED_VERSION)
            return version
    except ProgrammingError:  # no such table, or no right to read it, as `flask db` will explain
        return None
    except DBAPIError as error:
        raise MigrationFailed(explain(error)) from None
    finally:
        db.engine.dispose()  # workers are forked later, and must not share a connection


def latest_version() -> str:
    """Return the latest migration in the folder: each file name begins with its number."""
    return max(path.name for path in MIGRATIONS.glob("versions/[0-9]*_*.py")).partition("_")[0]
