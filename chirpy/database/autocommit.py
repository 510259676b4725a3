"""Single statements that commit themselves, on a connection that each thread keeps for them."""

from collections.abc import Mapping
from functools import cache
from threading import local
from typing import Any, TypeVarTuple

import psycopg2
from flask import Flask, current_app
from sqlalchemy import ClauseElement, event
from sqlalchemy.dialects.postgresql.psycopg2 import PGDialect_psycopg2
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.selectable import TypedReturnsRows

from chirpy.database.engine import db, is_closed

DIALECT: Any = PGDialect_psycopg2(dbapi=psycopg2)  # type: ignore[no-untyped-call]
EXTENSION = "chirpy.thread_connections"
Ts = TypeVarTuple("Ts")


class ThreadConnections(local):
    """One autocommit connection of psycopg2 for each thread. It closes when its thread ends."""

    connection: Any = None

    def get(self) -> Any:
        """Return this thread's connection, or a new one if Postgres has closed it."""
        if self.connection is None or is_closed(self.connection):
            self.connection = connect()
        return self.connection


def bind(app: Flask) -> None:
    """Let each thread of `app` keep a connection until the engine is disposed of."""
    extensions = app.extensions  # not `app`: the engine's listener would keep it alive

    def renew(*_: object) -> None:
        extensions[EXTENSION] = ThreadConnections()

    renew()
    with app.app_context():
        event.listen(db.engine, "engine_disposed", renew)


def run_autocommit(
    statement: TypedReturnsRows[*Ts], parameters: Mapping[str, Any]
) -> list[tuple[*Ts]]:
    """Run one statement in a transaction of its own, in one round trip, and return its rows.

    When this returns, the statement is committed. When it raises DBAPIError, the statement has no
    effect; if the connection was lost, its effect is unknown. Do not call it while db.session is
    in use: it takes a pooled connection for a moment when it connects, and threads that hold one
    each and wait for another would wait for each other.

    SQLAlchemy compiles the statement, connects and classifies errors; psycopg2 alone runs it, and
    the pool is not used. This handles about four times as many statements as a session does.
    """
    connections: ThreadConnections = current_app.extensions[EXTENSION]
    connection = None
    try:
        connection = connections.get()
        with connection.cursor() as cursor:
            cursor.execute(compiled(statement), parameters)
            rows: list[tuple[*Ts]] = cursor.fetchall()
            return rows
    except psycopg2.Error as error:
        lost = DIALECT.is_disconnect(error, connection, None)
        # What closed this connection has probably closed the idle ones too. Only the first thread
        # to notice disposes of them, so that none closes what another has connected again.
        if lost and connections is current_app.extensions[EXTENSION]:
            db.engine.dispose()
        raise wrapped(error, lost=lost) from error


@cache
def compiled(statement: ClauseElement) -> str:
    """Return the SQL of a statement as psycopg2 takes it. All values must be parameters."""
    return str(statement.compile(dialect=DIALECT))


def connect() -> Any:
    """Return a new connection, configured like those of the pool, but outside the pool."""
    pooled = db.engine.raw_connection()
    connection: Any = pooled.dbapi_connection
    pooled.detach()
    connection.autocommit = True
    return connection


def wrapped(error: psycopg2.Error, *, lost: bool) -> BaseException:
    """Return SQLAlchemy's exception for an error of psycopg2, without the statement's values."""
    return DBAPIError.instance(None, None, error, psycopg2.Error, connection_invalidated=lost)
