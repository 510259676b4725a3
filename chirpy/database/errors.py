"""Which database errors are transient, and which constraint a statement violates."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg2
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError, TimeoutError as PoolTimeout

# SQLSTATE classes that describe the state of Postgres, not our statement: connection exception,
# transaction rollback, insufficient resources, object not in prerequisite state, operator
# intervention; and the one code of a read-only standby.
# https://www.postgresql.org/docs/current/errcodes-appendix.html
TRANSIENT_SQLSTATES = ("08", "40", "53", "55", "57", "25006")


def sqlstate(error: DBAPIError) -> str | None:
    """Return the five characters that Postgres sent, or None if it sent nothing."""
    code: str | None = getattr(error.orig, "pgcode", None)
    return code


def is_transient(error: Exception) -> bool:
    """Return whether the same request can succeed later: Postgres is away, busy or read-only."""
    if not isinstance(error, DBAPIError):
        return isinstance(error, PoolTimeout)
    state = sqlstate(error)
    no_answer = state is None and isinstance(error, OperationalError)
    lost = error.connection_invalidated
    return no_answer or lost or (state or "").startswith(TRANSIENT_SQLSTATES)


@contextmanager
def violation_raises(
    violation: type[psycopg2.IntegrityError], table: str, exception: type[Exception]
) -> Iterator[None]:
    """Raise `exception` when a statement in the block violates a constraint of this kind and table.

    The name of the constraint does not count, because an operator can rename it. So use it only
    where the statement can violate one constraint of this kind.
    """
    try:
        yield
    except IntegrityError as error:
        if isinstance(error.orig, violation) and error.orig.diag.table_name == table:
            raise exception from None
        raise
