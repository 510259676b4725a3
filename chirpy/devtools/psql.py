"""`flask psql`: open psql on Chirpy's database."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import click
from flask import current_app
from flask.cli import with_appcontext

from chirpy.database.explanations import database_errors_explained
from chirpy.devtools.postgres import EmbeddedPostgres, EmbeddedPostgresError
from chirpy.settings import current_settings

EMBEDDED_POSTGRES = "chirpy.embedded_postgres"  # the application's extension; None if DB_URL is set


class Target(NamedTuple):
    """The psql to run, and the database it connects to."""

    program: Path
    url: str
    password: str


@click.command
@click.argument("arguments", nargs=-1)
@with_appcontext
@database_errors_explained()
def psql(arguments: tuple[str, ...]) -> None:
    """Open psql on Chirpy's database. `flask psql -- -c "TABLE users"` runs one statement."""
    postgres: EmbeddedPostgres | None = current_app.extensions[EMBEDDED_POSTGRES]
    target = external_database() if postgres is None else embedded_database(postgres)
    # Ctrl-C should cancel a statement in psql and not end this process. With SIG_IGN, psql would
    # inherit that it is ignored.
    signal.signal(signal.SIGINT, lambda *_: None)
    # The password is not an argument, because every user of the machine can list arguments.
    environment = os.environ | {"PGPASSWORD": target.password}
    sys.exit(subprocess.call([target.program, target.url, *arguments], env=environment))


def embedded_database(postgres: EmbeddedPostgres) -> Target:
    """Start the embedded Postgres if necessary, and return it with its own psql."""
    try:
        postgres.ensure_running()
    except EmbeddedPostgresError as error:
        raise click.ClickException(str(error)) from None
    return Target(postgres.programs() / "psql", postgres.url, "")


def external_database() -> Target:
    """Return the database at DB_URL with the psql on the PATH."""
    url = current_settings().db_url
    program = shutil.which("psql")
    if url is None or program is None:
        raise click.ClickException(
            "psql was not found.\nNext: install the client programs of Postgres"
        )
    without_password = url.set(drivername="postgresql")._replace(password=None)
    return Target(Path(program), without_password.render_as_string(), str(url.password or ""))
