"""Wait for a Postgres that is starting, as after `docker compose up`."""

from time import monotonic, sleep

import click
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from chirpy.database.engine import db

WAIT = 15  # seconds at most; the first start of an image makes the data, in 2 to 10 seconds
PAUSE = 0.3  # seconds between two attempts
# What Postgres says, and libpq when Docker has opened the port before Postgres listens behind it.
STARTING = (
    "the database system is starting up",
    "the database system is not yet accepting connections",
    "the database system is in recovery mode",
    "server closed the connection unexpectedly",
    "Connection reset by peer",
)


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
        if not waiting:
            click.echo(f"Postgres is starting. Waiting up to {WAIT} seconds", err=True)
            waiting = True
        sleep(PAUSE)
