"""`flask psql`: a psql prompt on Chirpy's database."""

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

EMBEDDED_POSTGRES = "chirpy.embedded_postgres"  # the extension, None with DB_URL


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
    """Open a psql prompt on Chirpy's database; `flask psql -- -c "TABLE users"` asks one thing."""
    postgres: EmbeddedPostgres | None = current_app.extensions[EMBEDDED_POSTGRES]
    target = external_database() if postgres is None else embedded_database(postgres)
    # Ctrl-C is for psql, which cancels the statement. If it was ignored here, psql would inherit
    # that.
    signal.signal(signal.SIGINT, lambda *_: None)
    # Not in the arguments, which every user of the machine can list.
    environment = os.environ | {"PGPASSWORD": target.password}
    sys.exit(subprocess.call([target.program, target.url, *arguments], env=environment))


def embedded_database(postgres: EmbeddedPostgres) -> Target:
    """Return the embedded Postgres, started if necessary, and its psql."""
    try:
        postgres.ensure_running()
    except EmbeddedPostgresError as error:
        raise click.ClickException(str(error)) from None
    return Target(postgres.programs() / "psql", postgres.url, "")


def external_database() -> Target:
    """Return the database at DB_URL, and the psql on the PATH."""
    url = current_settings().db_url
    program = shutil.which("psql")
    if url is None or program is None:
        raise click.ClickException("psql was not found. Next: install Postgres' client programs")
    without_password = url.set(drivername="postgresql")._replace(password=None)
    return Target(Path(program), without_password.render_as_string(), str(url.password or ""))
