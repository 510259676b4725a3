"""The commands that `flask` has on a developer's machine: `flask psql` and `flask polka`."""

from flask import Flask

from chirpy.devtools.polka.commands import polka
from chirpy.devtools.postgres import EmbeddedPostgres
from chirpy.devtools.psql import EMBEDDED_POSTGRES, psql


def register_commands(app: Flask, postgres: EmbeddedPostgres | None) -> None:
    """Add the commands to `app`, which uses the embedded `postgres` if there is one."""
    app.extensions[EMBEDDED_POSTGRES] = postgres
    app.cli.add_command(psql)
    app.cli.add_command(polka)
