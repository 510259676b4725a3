"""Which database errors are transient, what an operator can do, which constraint is violated."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg2
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError, TimeoutError as PoolTimeout

# SQLSTATE classes that describe the state of Postgres, not our statement: connection exception,
# transaction rollback, insufficient resources, object not in prerequisite state, operator
# intervention. https://www.postgresql.org/docs/current/errcodes-appendix.html
TRANSIENT_SQLSTATES = ("08", "40", "53", "55", "57")
READ_ONLY = "25006"
UNMIGRATED_SQLSTATES = ("42P01", "42703", "42883")  # undefined table, column and function
MIGRATE = (
    "flask db upgrade; or correct the search_path of Chirpy's user (SHOW search_path),"
    " if the database is migrated"
)
LOOK_AT_DISK = "look at the log of Postgres, and at the disk of its data"
# What an operator can fix, and how. It is a 503 too, because the request can succeed afterwards.
NEXT_STEPS = {
    READ_ONLY: "wait for the failover; or let DB_URL name the primary, or all hosts and"
    " target_session_attrs=read-write; or reset default_transaction_read_only",
    "28": "allow Chirpy's user to connect (pg_hba.conf, ALTER ROLE)",
    "3D000": "create the database, or correct DB_URL",
    "3F000": MIGRATE,
    **dict.fromkeys(UNMIGRATED_SQLSTATES, MIGRATE),
    "42501": "grant Chirpy's user the rights on its tables, sequences and functions (GRANT)",
    "53100": "free space on the disk of Postgres",
    "53300": "lower DB_CONNECTIONS, or raise max_connections or the limit of Chirpy's user",
    "58": LOOK_AT_DISK,
    "XX001": f"{LOOK_AT_DISK}; restore the data from a backup if they are damaged",
    "XX002": f"{LOOK_AT_DISK}; then REINDEX",
}


def sqlstate(error: DBAPIError) -> str | None:
    """Return the five characters that Postgres sent, or None if it sent nothing."""
    code: str | None = getattr(error.orig, "pgcode", None)
    return code


def is_transient(error: Exception) -> bool:
    """Return whether the same request can succeed later, if need be after an operator acts."""
    if not isinstance(error, DBAPIError):
        return isinstance(error, PoolTimeout)
    state = sqlstate(error)
    no_answer = state is None and isinstance(error, OperationalError)
    lost = error.connection_invalidated
    return no_answer or lost or (state or "").startswith((*TRANSIENT_SQLSTATES, *NEXT_STEPS))


def is_unmigrated(error: Exception) -> bool:
    """Return whether the database lacks what a statement names, as before a migration."""
    return isinstance(error, DBAPIError) and sqlstate(error) in UNMIGRATED_SQLSTATES


def next_step(error: Exception) -> str | None:
    """Return what an operator can do about the error, if that is known."""
    state = (isinstance(error, DBAPIError) and sqlstate(error)) or ""
    return next((step for known, step in NEXT_STEPS.items() if state.startswith(known)), None)


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
