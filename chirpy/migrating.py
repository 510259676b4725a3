"""The schema, brought up to date before anybody is served.

Alembic is loaded only where it has something to do: it would be a fifth of every start, and 9 MiB
of each worker.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn, cast

import click
from flask import Flask
from flask.cli import ScriptInfo
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, ProgrammingError

from chirpy.database import db
from chirpy.explanations import explain
from chirpy.postgres import PrivatePostgresError
from chirpy.settings import current_settings

MIGRATIONS = Path(__file__).parents[1] / "migrations"
APPLICATION = MIGRATIONS.with_name("app.py")
VERSION = text("SELECT version_num FROM alembic_version")


class StartError(Exception):
    """Why the server can't start, and what to do about it."""


class Migrations(click.Command):
    """`flask db`, which Flask-Migrate provides once it is called."""

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,
    ) -> click.Context:
        from flask_migrate import Migrate

        app = cast("click.Context", parent).ensure_object(ScriptInfo).load_app()
        Migrate(app, db, directory=str(MIGRATIONS))  # adds its command in place of this one
        return app.cli.commands["db"].make_context(info_name, args, parent, **extra)


migrations = Migrations("db", help="Perform database migrations.")


def bring_up_to_date(app: Flask) -> None:
    """Apply the migrations that are missing, with `flask db upgrade` in a process of its own.

    Raises StartError when the database can't be used, or SystemExit when `flask` has said so.
    """
    with app.app_context():
        if version() == newest():
            return
        url = current_settings().db_url
    # -P and no .env of Flask's own: the folder that one starts from has no say.
    upgrade = [sys.executable, "-P", "-m", "flask", "--app", str(APPLICATION), "db", "upgrade"]
    same = {
        "DB_URL": url.render_as_string(hide_password=False) if url else "",
        "FLASK_SKIP_DOTENV": "1",
    }
    with stopped_together():
        code = subprocess.run(upgrade, env=os.environ | same, check=False).returncode
    if code < 0:
        raise StartError(f"The migration was killed by signal {-code}.\nNext: start again")
    if code > 0:
        sys.exit(1)


@contextmanager
def stopped_together() -> Iterator[None]:
    """Let SIGTERM end this process and what it waits for, and Ctrl-C without a traceback."""

    def end(number: int, _: object) -> NoReturn:
        sys.exit(128 + number)

    before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def version() -> str | None:
    """The last migration that was applied to the current application's database, if any was."""
    try:
        with db.engine.connect() as connection:
            return cast("str | None", connection.scalar(VERSION))
    except ProgrammingError:  # no such table, or no right to read it, which `flask` then says
        return None
    except (DBAPIError, PrivatePostgresError) as error:
        raise StartError(explain(error)) from None
    finally:
        db.engine.dispose()  # workers may be forked from here, and no two share a connection


def newest() -> str:
    """The last migration there is: each file begins with its number."""
    return max(path.name for path in MIGRATIONS.glob("versions/[0-9]*_*.py")).partition("_")[0]
