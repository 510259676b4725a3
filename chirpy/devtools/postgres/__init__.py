"""A private Postgres for whoever has none: kept in a folder, reached through a socket.

    postgres = PrivatePostgres(Path("instance/postgres"))
    psycopg2.connect(**postgres.ensure_running())

It runs as long as any process needs it and survives whatever kills them. There is nothing to
set up, no password to invent and no port to be taken.
"""

from chirpy.devtools.postgres.connection import Connection
from chirpy.devtools.postgres.failures import PostgresFailed, PostgresMissing, PrivatePostgresError
from chirpy.devtools.postgres.private import PrivatePostgres

__all__ = [
    "Connection",
    "PostgresFailed",
    "PostgresMissing",
    "PrivatePostgres",
    "PrivatePostgresError",
]
