"""Transactions: a statement alone, one done again for another one's sake, one refused by name."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import wraps
from random import random
from time import sleep
from typing import Any, ParamSpec, TypeVar

from sqlalchemy import Connection, Executable
from sqlalchemy.exc import DBAPIError, IntegrityError

from chirpy.database import Record, db

TRIES = 4
RETRY_PAUSE = 0.02  # seconds at most before the second try; two that met must not meet again
UNDONE = ("40001", "40P01")  # serialization failure, deadlock
P = ParamSpec("P")
R = TypeVar("R")


def alone(statement: Executable, parameters: Mapping[str, Any]) -> Sequence[Record]:
    """Run a statement that is a transaction of its own: one round trip, no BEGIN and no COMMIT.

    When this returns, it is committed; when it raises, it is undone, except that nobody can say if
    the connection was lost meanwhile. Not beside db.session in one request: it takes a connection
    of its own, of which there is one for each thread.
    """
    with db.engine.connect() as connection, autocommitting(connection):
        return connection.execute(statement, parameters).all()


@contextmanager
def autocommitting(connection: Connection) -> Iterator[None]:
    """Let each statement be a transaction, by psycopg2's own switch, which asks Postgres nothing.

    SQLAlchemy's isolation level AUTOCOMMIT costs two round trips each time it is set and unset.
    """
    psycopg2_connection: Any = connection.connection.dbapi_connection
    psycopg2_connection.autocommit = True
    try:
        yield
    finally:
        if not psycopg2_connection.closed:
            psycopg2_connection.autocommit = False


def retried(act: Callable[P, R]) -> Callable[P, R]:
    """Do a whole transaction again if Postgres has undone it for the sake of another one."""

    @wraps(act)
    def again(*args: P.args, **kwargs: P.kwargs) -> R:
        for attempt in range(1, TRIES):
            try:
                return act(*args, **kwargs)
            except DBAPIError as error:
                if getattr(error.orig, "pgcode", None) not in UNDONE:
                    raise
                sleep(random() * attempt * RETRY_PAUSE)
        return act(*args, **kwargs)

    return again


@contextmanager
def refusing(constraint: str, refusal: Callable[[], Exception]) -> Iterator[None]:
    """Raise `refusal()` when the statements below are refused by `constraint`."""
    try:
        yield
    except IntegrityError as error:
        if getattr(getattr(error.orig, "diag", None), "constraint_name", None) == constraint:
            raise refusal() from None
        raise
