"""Transactions: a statement alone, one done again for another one's sake, one refused by name."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache, wraps
from random import random
from time import sleep
from typing import Any, ParamSpec, TypeVar

import psycopg2
from sqlalchemy import ClauseElement
from sqlalchemy.dialects.postgresql.psycopg2 import PGDialect_psycopg2
from sqlalchemy.exc import DBAPIError, IntegrityError

from chirpy.database import db

DIALECT: Any = PGDialect_psycopg2(dbapi=psycopg2)  # type: ignore[no-untyped-call]
TRIES = 4
RETRY_PAUSE = 0.02  # seconds at most before the second try; two that met must not meet again
UNDONE = ("40001", "40P01")  # serialization failure, deadlock
P = ParamSpec("P")
R = TypeVar("R")


def alone(statement: ClauseElement, parameters: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """Run a statement that is a transaction of its own: one round trip, no BEGIN and no COMMIT.

    When this returns, it is committed; when it raises DBAPIError, it is undone, except that nobody
    can say if the connection was lost meanwhile. Not beside db.session in one request: it takes a
    connection of its own, of which there is one for each thread.

    SQLAlchemy builds the statement, keeps the connection and names the errors, but psycopg2 alone
    runs it: that takes a third of the CPU.
    """
    sql = sql_of(statement)
    with autocommitting() as connection, connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        rows: list[tuple[Any, ...]] = cursor.fetchall() if cursor.description else []
        return rows


@cache
def sql_of(statement: ClauseElement) -> str:
    """A statement as psycopg2 takes it, built once; all its values are parameters."""
    return str(statement.compile(dialect=DIALECT))


@contextmanager
def autocommitting() -> Iterator[Any]:
    """A psycopg2 connection of the pool, each of whose statements is a transaction.

    The switch is psycopg2's own, which asks Postgres nothing. Raises DBAPIError.
    """
    try:
        pooled = db.engine.raw_connection()
    except psycopg2.Error as error:
        raise named(error, lost=DIALECT.is_disconnect(error, None, None)) from error
    connection: Any = pooled.dbapi_connection
    try:
        connection.autocommit = True
        yield connection
    except psycopg2.Error as error:
        if lost := DIALECT.is_disconnect(error, connection, None):
            pooled.invalidate(error)
            db.engine.dispose()  # what has cut this one has probably cut the idle ones too
        raise named(error, lost=lost) from error
    finally:
        if pooled.is_valid:
            connection.autocommit = False
            pooled.close()


def named(error: psycopg2.Error, *, lost: bool) -> BaseException:
    """What SQLAlchemy raises for an error of psycopg2, without the statement and its values."""
    return DBAPIError.instance(None, None, error, psycopg2.Error, connection_invalidated=lost)


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
