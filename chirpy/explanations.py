"""Why the database can't be used, in words for whoever starts Chirpy or types a command."""

from collections.abc import Iterator
from contextlib import contextmanager

import click
from sqlalchemy.exc import OperationalError

from chirpy.database import db, private_postgres
from chirpy.postgres import PrivatePostgresError

START_ONE = (
    "start Postgres (docker compose up -d), or take DB_URL out of .env to let Chirpy start a"
    " private one"
)
CERTIFICATES = "correct sslmode, sslrootcert, sslcert and sslkey in DB_URL"
# What Postgres or its client library says, and what helps; the first that fits counts.
NEXT_STEPS = {
    "certificate": CERTIFICATES,
    "private key": CERTIFICATES,
    "Connection refused": START_ONE,
    "timeout expired": START_ONE,
    "No such file or directory": START_ONE,
    "could not translate host name": "correct the host in DB_URL",
    "invalid connection option": "take that option out of DB_URL",
    "password authentication": "correct the user and the password in DB_URL",
    "no password supplied": "write the password into DB_URL: postgres://user:password@host/name",
    "does not exist": "correct DB_URL, or create what it names (createdb, createuser)",
    "permission denied": "grant the user of DB_URL the right to create tables",
    "encoding is": "make another one (createdb -E UTF8 -T template0 NAME) and name it in DB_URL",
}
SECRET = ["sslpassword"]  # of the URL's options; its password is hidden by SQLAlchemy


def explain(error: Exception) -> str:
    """Why the database can't be used, and the next step; never a password."""
    if isinstance(error, PrivatePostgresError):
        return str(error)
    says = str(getattr(error, "orig", error)).strip()
    private = private_postgres()
    if private is not None:
        name = "private Postgres"
        step = f"read {private.log}; then `make clean` to start without its data, or set DB_URL"
    else:
        name = f"database {db.engine.url.difference_update_query(SECRET)}"
        step = next((step for sign, step in NEXT_STEPS.items() if sign in says), "correct DB_URL")
    return f"Chirpy can't use its {name}:\n  {says}\nNext: {step}"


@contextmanager
def trouble_explained() -> Iterator[None]:
    """Tell whoever typed a command the next step, not a traceback, when Postgres is away."""
    try:
        yield
    except (OperationalError, PrivatePostgresError) as error:
        raise click.ClickException(explain(error)) from None
