"""`flask psql`: ask the database yourself."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import click
from flask.cli import with_appcontext

from chirpy.database import private_postgres
from chirpy.explanations import trouble_explained
from chirpy.settings import current_settings


@click.command
@click.argument("arguments", nargs=-1)
@with_appcontext
@trouble_explained()
def psql(arguments: tuple[str, ...]) -> None:
    """Open a psql prompt on Chirpy's database; `flask psql -- -c "TABLE users"` asks one thing."""
    private = private_postgres()
    if private is None:
        address, password, program = the_database()
    else:
        private.ensure_running()
        address, password, program = private.url, "", private.programs() / "psql"
    # Ctrl-C is for psql, which cancels the statement; ignored here, it would be ignored there too.
    signal.signal(signal.SIGINT, lambda *_: None)
    # Not in the arguments, which everybody on the machine may list.
    environment = os.environ | {"PGPASSWORD": password}
    sys.exit(subprocess.call([program, address, *arguments], env=environment))


def the_database() -> tuple[str, str, Path]:
    """Where DB_URL leads, its password apart, and the psql on the PATH."""
    url = current_settings().db_url
    program = shutil.which("psql")
    if url is None or program is None:
        raise click.ClickException("psql was not found. Next: install Postgres' client programs")
    address = url.set(drivername="postgresql")._replace(password=None)  # set() takes no None
    return address.render_as_string(), str(url.password or ""), Path(program)
