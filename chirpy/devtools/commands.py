"""Register the commands for development: `flask psql`, `flask polka` and `flask seed`."""

from flask import Flask

from chirpy.devtools.polka.commands import polka
from chirpy.devtools.postgres import EmbeddedPostgres
from chirpy.devtools.psql import EMBEDDED_POSTGRES, psql
from chirpy.devtools.seed import seed


def register_commands(app: Flask, postgres: EmbeddedPostgres | None) -> None:
    """Add the commands to `app`. `postgres` is its embedded Postgres, if it uses that."""
    app.extensions[EMBEDDED_POSTGRES] = postgres
    for command in (psql, polka, seed):
        app.cli.add_command(command)
