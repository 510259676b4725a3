"""Single statements that commit themselves, in one round trip.

SQLAlchemy compiles a statement, connects and classifies errors; psycopg2 alone runs it, and the
pool is not used. This handles about four times as many statements as a session does.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any, TypeVarTuple

import psycopg2
from sqlalchemy import URL, ClauseElement, create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.selectable import TypedReturnsRows

from chirpy.database.engine import db
from chirpy.database.thread_connections import thread_connections
from chirpy.settings.database_url import DRIVER

DIALECT: Any = create_engine(URL.create(DRIVER)).dialect  # this engine never connects
Ts = TypeVarTuple("Ts")


def run_autocommit(
    statement: TypedReturnsRows[*Ts], parameters: Mapping[str, Any]
) -> list[tuple[*Ts]]:
    """Run one statement in a transaction of its own, in one round trip, and return its rows.

    When this returns, the statement is committed. When it raises DBAPIError, the statement has no
    effect; if the connection was lost, its effect is unknown. Do not call it while db.session is
    in use: it takes a pooled connection for a moment when it connects, and threads that hold one
    each and wait for another would wait for each other.
    """
    connections = thread_connections()
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
        if lost and connections is thread_connections():
            db.engine.dispose()
        raise as_dbapi_error(error, lost=lost) from error


@cache
def compiled(statement: ClauseElement) -> str:
    """Return the SQL of a statement as psycopg2 takes it. All values must be parameters."""
    return str(statement.compile(dialect=DIALECT))


def as_dbapi_error(error: psycopg2.Error, *, lost: bool) -> BaseException:
    """Return SQLAlchemy's exception for an error of psycopg2, without the statement's values."""
    return DBAPIError.instance(None, None, error, psycopg2.Error, connection_invalidated=lost)
