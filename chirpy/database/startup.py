"""Wait for a Postgres that is starting, as after `docker compose up`."""

from contextlib import closing, suppress
from time import monotonic, sleep

import click
import psycopg2
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from chirpy.database.connecting import DEFAULTS, ConnectFailed
from chirpy.database.engine import db
from chirpy.settings import current_settings

OLDEST = 14  # the oldest major version that the makers of Postgres supported in 2026
WAIT = 15  # seconds at most; the first start of an image makes the data, in 2 to 10 seconds
PAUSE = 0.3  # seconds between two attempts
# What Postgres says, and libpq when Docker has opened the port before Postgres listens behind it.
STARTING = (
    "the database system is starting up",
    "the database system is not yet accepting connections",
    "the database system is in recovery mode",
    "server closed the connection unexpectedly",
    "Connection reset by peer",
    "session is read-only",  # no host of DB_URL has become the primary yet
)
STATEMENT_MODE = """PgBouncer is in statement mode, which has no transactions.
Next: set pool_mode = transaction in pgbouncer.ini"""


def connect_at_start() -> Connection:
    """Return a connection; while Postgres is starting, try again for 15 seconds at most."""
    deadline = monotonic() + WAIT
    waiting = False
    while True:
        try:
            return db.engine.connect()
        except OperationalError as error:
            if not any(text in str(error.orig) for text in STARTING) or monotonic() > deadline:
                raise
            if not waiting and is_in_statement_mode():
                raise OperationalError(None, None, ConnectFailed(STATEMENT_MODE)) from None
        if not waiting:
            click.echo(f"Postgres is starting. Waiting up to {WAIT} seconds", err=True)
            waiting = True
        sleep(PAUSE)


def is_in_statement_mode() -> bool:
    """Return whether BEGIN closes the connection, as PgBouncer does in statement mode.

    It sends the reason too, but libpq forgets that when the connection closes.
    """
    url = current_settings().db_url
    if url is None:
        return False
    _, options = db.engine.dialect.create_connect_args(url)
    with (
        suppress(psycopg2.Error),
        closing(psycopg2.connect(**{**DEFAULTS, **options})) as connection,
    ):
        connection.autocommit = True
        cursor = connection.cursor()
        cursor.execute("SELECT 1")
        with suppress(psycopg2.Error):
            cursor.execute("BEGIN")
        return bool(connection.closed)
    return False
