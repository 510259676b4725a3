"""Which database errors are transient, and which transactions are retried."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from random import random
from time import sleep
from typing import ParamSpec, TypeVar

from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError, TimeoutError as PoolTimeout

# SQLSTATE classes that describe Postgres' state, not our statement: connection exception,
# transaction rollback, insufficient resources, object not in prerequisite state, operator
# intervention; and the one code of a read-only standby.
# https://www.postgresql.org/docs/current/errcodes-appendix.html
TRANSIENT_SQLSTATES = ("08", "40", "53", "55", "57", "25006")
CONFLICT_SQLSTATES = ("40001", "40P01")  # serialization failure, deadlock
MAX_ATTEMPTS = 4
RETRY_PAUSE = 0.02  # seconds at most before the second attempt; random, so that conflicts resolve
P = ParamSpec("P")
R = TypeVar("R")


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


def retry_conflicts(transaction: Callable[P, R]) -> Callable[P, R]:
    """Run a whole transaction again after a serialization failure or a deadlock."""

    @wraps(transaction)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        for attempt in range(1, MAX_ATTEMPTS):
            try:
                return transaction(*args, **kwargs)
            except DBAPIError as error:
                if sqlstate(error) not in CONFLICT_SQLSTATES:
                    raise
                sleep(random() * attempt * RETRY_PAUSE)
        return transaction(*args, **kwargs)

    return run


@contextmanager
def violation_raises(constraint: str, exception: type[Exception]) -> Iterator[None]:
    """Raise `exception` when a statement in the block violates the named constraint."""
    try:
        yield
    except IntegrityError as error:
        if getattr(getattr(error.orig, "diag", None), "constraint_name", None) == constraint:
            raise exception from None
        raise
