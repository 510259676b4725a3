"""The schema, brought up to date before anybody is served.

Alembic is loaded only where it has something to do: it would be a fifth of every start, and 9 MiB
of each worker.
"""

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click
from flask import Flask
from flask.cli import ScriptInfo
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, ProgrammingError

from chirpy.database import db
from chirpy.explanations import explain
from chirpy.postgres import PrivatePostgresError
from chirpy.settings import current_settings

if TYPE_CHECKING:
    from alembic.config import Config

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

    Raises StartError when the database can't be used, SystemExit when `flask` has said so.
    """
    with app.app_context():
        if version() == newest():
            return
        url = current_settings().db_url
    upgrade = [sys.executable, "-m", "flask", "--app", str(APPLICATION), "db", "upgrade"]
    same = {"DB_URL": url.render_as_string(hide_password=False) if url else ""}
    if subprocess.run(upgrade, env=os.environ | same, check=False).returncode:
        sys.exit(1)


def version() -> str | None:
    """The last migration that was applied to the current application's database, if any was."""
    try:
        with db.engine.connect() as connection:
            return cast("str | None", connection.scalar(VERSION))
    except ProgrammingError:  # there is no such table
        return None
    except (DBAPIError, PrivatePostgresError) as error:
        raise StartError(explain(error)) from None
    finally:
        db.engine.dispose()  # workers may be forked from here, and no two share a connection


def newest() -> str:
    """The last migration there is: each file begins with its number."""
    return max(path.name for path in MIGRATIONS.glob("versions/[0-9]*_*.py")).partition("_")[0]


def alembic_config() -> "Config":
    """What Alembic must know before it runs `migrations/env.py`."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    return config
