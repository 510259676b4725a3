"""A statement that is a transaction of its own, on a connection that each thread keeps for them."""

from collections.abc import Mapping
from functools import cache
from threading import local
from time import monotonic
from typing import Any

import psycopg2
from flask import Flask, current_app
from sqlalchemy import ClauseElement, event
from sqlalchemy.dialects.postgresql.psycopg2 import PGDialect_psycopg2
from sqlalchemy.exc import DBAPIError

from chirpy.database import db, is_closed

DIALECT: Any = PGDialect_psycopg2(dbapi=psycopg2)  # type: ignore[no-untyped-call]
KEPT = "chirpy.kept"  # where the application has it
IDLE = 0.1  # seconds without use, after which to look whether Postgres has closed a connection


class Kept(local):
    """The connection of each thread, which closes when the thread ends."""

    connection: Any = None  # of psycopg2; each statement commits itself
    used_at = 0.0  # by the monotonic clock

    def ready(self) -> Any:
        """The connection, or a new one if Postgres has closed it. Raises psycopg2.Error."""
        now = monotonic()
        if self.connection is None or (now > self.used_at + IDLE and is_closed(self.connection)):
            self.connection = connect()
        self.used_at = now
        return self.connection


def bind(app: Flask) -> None:
    """Let the threads that serve `app` keep connections, until its engine is disposed of."""

    def keep(*_: object) -> None:
        app.extensions[KEPT] = Kept()

    keep()
    with app.app_context():
        event.listen(db.engine, "engine_disposed", keep)


def alone(statement: ClauseElement, parameters: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """Run a statement that is a transaction of its own: one round trip, no BEGIN and no COMMIT.

    When this returns, it is committed; when it raises DBAPIError, it is undone, except that nobody
    can say if the connection was lost meanwhile. It is not part of db.session's transaction.

    SQLAlchemy builds the statement, connects and names the errors, but psycopg2 alone runs it, and
    the pool is not asked each time: `make bench-ways` shows what that brings.
    """
    connection = None
    try:
        connection = current_app.extensions[KEPT].ready()
        with connection.cursor() as cursor:
            cursor.execute(sql_of(statement), parameters)
            rows: list[tuple[Any, ...]] = cursor.fetchall() if cursor.description else []
            return rows
    except psycopg2.Error as error:
        if lost := DIALECT.is_disconnect(error, connection, None):
            db.engine.dispose()  # what has cut this one has probably cut the idle ones too
        raise named(error, lost=lost) from error


@cache
def sql_of(statement: ClauseElement) -> str:
    """A statement as psycopg2 takes it, built once; all its values are parameters."""
    return str(statement.compile(dialect=DIALECT))


def connect() -> Any:
    """A connection that is set up as those of the pool are, and leaves it."""
    pooled = db.engine.raw_connection()
    connection: Any = pooled.dbapi_connection
    pooled.detach()
    connection.autocommit = True
    return connection


def named(error: psycopg2.Error, *, lost: bool) -> BaseException:
    """What SQLAlchemy raises for an error of psycopg2, without the statement and its values."""
    return DBAPIError.instance(None, None, error, psycopg2.Error, connection_invalidated=lost)
