"""`flask psql`: open psql on Chirpy's database."""

import os
import shutil
import signal
import subprocess
import sys

import click
from flask import current_app
from flask.cli import with_appcontext
from sqlalchemy import URL, make_url

from chirpy.database.explanations import database_errors_explained
from chirpy.devtools.postgres import EmbeddedPostgres
from chirpy.settings import current_settings

EMBEDDED_POSTGRES = "chirpy.embedded_postgres"  # the application's extension; None if DB_URL is set


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1)
@with_appcontext
@database_errors_explained()
def psql(arguments: tuple[str, ...]) -> None:
    """Open psql on Chirpy's database. `flask psql -c "TABLE users"` runs one statement."""
    program, url = find_psql(current_app.extensions[EMBEDDED_POSTGRES])
    # Ctrl-C should cancel a statement in psql, which would inherit SIG_IGN.
    signal.signal(signal.SIGINT, lambda *_: None)
    # The password is not an argument, because every user of the machine can list arguments.
    environment = os.environ | {"PGPASSWORD": str(url.password or "")}
    environment.setdefault("PGCONNECT_TIMEOUT", "2")  # seconds, for each host of DB_URL
    target = url.set(drivername="postgresql")._replace(password=None).render_as_string()
    sys.exit(subprocess.call([program, target, *arguments], env=environment))


def find_psql(postgres: EmbeddedPostgres | None) -> tuple[str, URL]:
    """Return psql and the URL of the database: of `postgres`, which is started, or of DB_URL."""
    if postgres is not None:
        postgres.ensure_running()
        return str(postgres.programs() / "psql"), make_url(postgres.url)
    program, url = shutil.which("psql"), current_settings().db_url
    if program is None or url is None:
        raise click.ClickException("psql was not found.\nNext: install Postgres' client programs")
    return program, url
