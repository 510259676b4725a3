"""Explain at start-up, and to users of commands, why the database cannot be used."""

from collections.abc import Iterator
from contextlib import contextmanager

import click
from sqlalchemy.exc import DBAPIError, OperationalError

from chirpy.database.connecting import ConnectFailed
from chirpy.database.engine import db
from chirpy.database.migration_state import UnusableDatabase, require_migrated
from chirpy.database.startup import STARTING
from chirpy.settings import current_settings
from chirpy.settings.database_url import show_database_url

START_POSTGRES = (
    "start Postgres (docker compose up -d), or use the embedded one: PLATFORM=dev without DB_URL"
)
LOOK_AT_LOG = "look at the log of Postgres (docker compose logs db), and at host and port in DB_URL"
CERTIFICATES = "correct sslmode, sslrootcert, sslcert and sslkey in DB_URL"
DELETE = "delete the database of `make run` with `make clean`, or set DB_URL in .env"
# The embedded Postgres is busy or stopped, and its data is good: do not advise to delete it.
TRY_AGAIN = "try again in a minute; if it stays so, restart this machine"
# What Postgres or libpq says, and the next step. The first match counts.
NEXT_STEPS = {
    "certificate": CERTIFICATES,
    "private key": CERTIFICATES,
    **dict.fromkeys(STARTING, LOOK_AT_LOG),
    "session is read-only": "wait until one of the hosts takes writes, or promote one",
    "did not answer in time": LOOK_AT_LOG,
    "Connection refused": START_POSTGRES,
    "timeout expired": START_POSTGRES,
    "No such file or directory": START_POSTGRES,
    "could not translate host name": "correct the host in DB_URL",
    "invalid connection option": "remove that option from DB_URL",
    "password authentication": "correct the user and the password in DB_URL",
    "no password supplied": "write the password into DB_URL: postgres://user:password@host/name",
    "does not exist": "correct DB_URL, or create what it names (createdb, createuser)",
    "permission denied": "grant the user of DB_URL the right to create tables",
    "encoding is": "create another database (createdb -E UTF8 -T template0 NAME) for DB_URL",
}


def explain(error: Exception) -> str:
    """Return why the database cannot be used, and the next step, without any password."""
    cause = getattr(error, "orig", error)
    message = str(cause).strip()
    if isinstance(cause, ConnectFailed | UnusableDatabase):
        return message
    url = current_settings().db_url
    if url is None:  # the application was handed a way to connect
        step = DELETE if "does not exist" in message else TRY_AGAIN
        return f"Chirpy cannot use its database:\n  {message}\nNext: {step}"
    problem = f"Chirpy cannot use the database {show_database_url(url)}:\n  {message}"
    return f"{problem}\nNext: {find_step(message)}"


def find_step(message: str) -> str:
    """Return what to do about a message of Postgres or libpq."""
    return next((step for text, step in NEXT_STEPS.items() if text in message), "correct DB_URL")


@contextmanager
def database_errors_explained() -> Iterator[None]:
    """End a command with one message, not a traceback, when the database cannot be used."""
    try:
        yield
    except (OperationalError, ConnectFailed, UnusableDatabase) as error:
        raise click.ClickException(explain(error)) from None
    except DBAPIError:
        db.session.rollback()
        try:
            require_migrated(db.session.connection())
        except UnusableDatabase as problem:
            raise click.ClickException(str(problem)) from None
        raise
