"""Migrate the database before the server starts."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

from flask import Flask
from sqlalchemy.exc import DBAPIError, ProgrammingError

from chirpy.database.engine import db
from chirpy.database.explanations import explain
from chirpy.database.migration_state import (
    MIGRATIONS,
    OtherApplication,
    applied_version,
    latest_version,
)
from chirpy.database.startup import connect_at_start
from chirpy.settings import current_settings

APPLICATION = MIGRATIONS.with_name("app.py")


class MigrationFailed(Exception):
    """The database cannot be migrated. The text says why and what to do next."""


def migrate(app: Flask) -> None:
    """Apply the missing migrations by running `flask db upgrade`.

    Raise MigrationFailed, or SystemExit if `flask db upgrade` has printed why it failed.
    """
    with app.app_context():
        if version_at_start() == latest_version():
            return
        url = current_settings().db_url
    # With -P and FLASK_SKIP_DOTENV, files in the current folder have no effect.
    command = [sys.executable, "-P", "-m", "flask", "--app", str(APPLICATION), "db", "upgrade"]
    settings = {
        "DB_URL": url.render_as_string(hide_password=False) if url else "",
        "FLASK_SKIP_DOTENV": "1",
    }
    with exit_on_signals():
        code = subprocess.run(command, env=os.environ | settings, check=False).returncode
    if code < 0:
        raise MigrationFailed(f"The migration was killed by signal {-code}.\nNext: start again")
    if code > 0:
        sys.exit(1)


@contextmanager
def exit_on_signals() -> Iterator[None]:
    """Raise SystemExit on SIGTERM and Ctrl-C. `subprocess.run` then kills its process."""

    def exit_process(number: int, _: object) -> NoReturn:
        sys.exit(128 + number)

    signals = (signal.SIGTERM, signal.SIGINT)
    before = {number: signal.signal(number, exit_process) for number in signals}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def version_at_start() -> str | None:
    """Return the latest migration that is applied to the database. Raise MigrationFailed."""
    try:
        with connect_at_start() as connection:
            return applied_version(connection)
    except ProgrammingError:  # no right to read it: `flask db` explains that
        return None
    except (DBAPIError, OtherApplication) as error:
        raise MigrationFailed(explain(error)) from None
    finally:
        db.engine.dispose()  # workers are forked later and must not share a connection
