"""Register the commands for development: `flask psql` and `flask polka`."""

from flask import Flask

from chirpy.devtools.polka.commands import polka
from chirpy.devtools.postgres import EmbeddedPostgres
from chirpy.devtools.psql import EMBEDDED_POSTGRES, psql


def register_commands(app: Flask, postgres: EmbeddedPostgres | None) -> None:
    """Add the commands to `app`. `postgres` is its embedded Postgres, if it uses that."""
    app.extensions[EMBEDDED_POSTGRES] = postgres
    app.cli.add_command(psql)
    app.cli.add_command(polka)
