"""A statement that is a transaction of its own, on a connection that each thread keeps for them."""

from collections.abc import Mapping
from functools import cache
from threading import local
from typing import Any

import psycopg2
from flask import Flask, current_app
from sqlalchemy import ClauseElement, event
from sqlalchemy.dialects.postgresql.psycopg2 import PGDialect_psycopg2
from sqlalchemy.exc import DBAPIError

from chirpy.database import db, is_closed

DIALECT: Any = PGDialect_psycopg2(dbapi=psycopg2)  # type: ignore[no-untyped-call]
KEPT = "chirpy.kept"  # where the application has it


class Kept(local):
    """The connection of each thread, which closes when the thread ends."""

    connection: Any = None  # of psycopg2; each statement commits itself

    def ready(self) -> Any:
        """The connection, or a new one if Postgres has closed it."""
        if self.connection is None or is_closed(self.connection):
            self.connection = connect()
        return self.connection


def bind(app: Flask) -> None:
    """Let the threads that serve `app` keep connections, until its engine is disposed of."""
    extensions = app.extensions  # were it `app`, the engine would keep the app that keeps it

    def keep(*_: object) -> None:
        extensions[KEPT] = Kept()

    keep()
    with app.app_context():
        event.listen(db.engine, "engine_disposed", keep)


def alone(statement: ClauseElement, parameters: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """Run a statement that is a transaction of its own: one round trip, no BEGIN and no COMMIT.

    When this returns, it is committed; when it raises DBAPIError, it is undone, except that nobody
    can say if the connection was lost meanwhile. Not while db.session is in use: to connect, it
    takes one of the pool for a moment, all of which may be held by threads that wait for the same.

    SQLAlchemy builds the statement, connects and names the errors, but psycopg2 alone runs it, and
    the pool is not asked each time: `make bench-ways` shows what that brings.
    """
    kept: Kept = current_app.extensions[KEPT]
    connection = None
    try:
        connection = kept.ready()
        with connection.cursor() as cursor:
            cursor.execute(sql_of(statement), parameters)
            rows: list[tuple[Any, ...]] = cursor.fetchall() if cursor.description else []
            return rows
    except psycopg2.Error as error:
        lost = DIALECT.is_disconnect(error, connection, None)
        # What has cut this one has probably cut the idle ones too. Whoever is told second must not
        # let go of those that the first has connected anew.
        if lost and kept is current_app.extensions[KEPT]:
            db.engine.dispose()
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
