"""Ways of running one statement: to look a chirp up by its id."""

from collections.abc import Callable
from threading import local
from typing import Any
from uuid import UUID

from chirpy.chirps.posting import FIND
from chirpy.database.autocommit import compiled, run_autocommit
from chirpy.database.engine import db
from chirpy.database.thread_connections import connect

Lookup = Callable[[UUID], object]

kept = local()


def by_session(chirp_id: UUID) -> object:
    """As a request that uses `db.session`, which ends with it."""
    found = db.session.execute(FIND, {"id": chirp_id}).all()
    db.session.remove()
    return found


def by_core(chirp_id: UUID) -> object:
    """SQLAlchemy without a session, each statement committing itself."""
    autocommitting = db.engine.execution_options(isolation_level="AUTOCOMMIT")
    with autocommitting.connect() as connection:
        return connection.execute(FIND, {"id": chirp_id}).all()


def by_pool(chirp_id: UUID) -> object:
    """By psycopg2, on a connection of SQLAlchemy's pool that is set to autocommit meanwhile."""
    pooled = db.engine.raw_connection()
    connection: Any = pooled.dbapi_connection
    connection.autocommit = True
    try:
        return fetch(connection, chirp_id)
    finally:
        connection.autocommit = False
        pooled.close()


def by_alone(chirp_id: UUID) -> object:
    """As Chirpy does."""
    return run_autocommit(FIND, {"id": chirp_id})


def by_psycopg2(chirp_id: UUID) -> object:
    """By psycopg2 on a connection of the thread's own: the least that there is to do."""
    if not hasattr(kept, "connection"):
        kept.connection = connect()
    return fetch(kept.connection, chirp_id)


def fetch(connection: Any, chirp_id: UUID) -> object:
    """The rows of the statement."""
    with connection.cursor() as cursor:
        cursor.execute(compiled(FIND), {"id": chirp_id})
        return cursor.fetchall()


BOUND = "psycopg2"
LOOKUPS: dict[str, Lookup] = {
    "session": by_session,
    "SQLAlchemy, autocommit": by_core,
    "psycopg2, pooled": by_pool,
    "alone": by_alone,
    BOUND: by_psycopg2,
}
