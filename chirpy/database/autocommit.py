"""Single statements that commit themselves, in one round trip.

SQLAlchemy compiles a statement, connects and classifies errors; psycopg2 alone runs it. This
handles about four times as many statements as a session does.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any, TypeVarTuple

from sqlalchemy import ClauseElement
from sqlalchemy.sql.selectable import TypedReturnsRows

from chirpy.database.autocommit_pool import DIALECT, autocommit_pool

Ts = TypeVarTuple("Ts")


def run_autocommit(
    statement: TypedReturnsRows[*Ts], parameters: Mapping[str, Any]
) -> list[tuple[*Ts]]:
    """Run one statement in a transaction of its own, in one round trip, and return its rows.

    When this returns, the statement is committed. When it raises DBAPIError, the statement has no
    effect; if the connection was lost, its effect is unknown.
    """
    with autocommit_pool().connection() as connection, connection.cursor() as cursor:
        cursor.execute(compiled(statement), parameters)
        rows: list[tuple[*Ts]] = cursor.fetchall()
        return rows


@cache
def compiled(statement: ClauseElement) -> str:
    """Return the SQL of a statement as psycopg2 takes it. All values must be parameters."""
    return str(statement.compile(dialect=DIALECT))
