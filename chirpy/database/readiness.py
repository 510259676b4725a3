"""Whether the database can be used: migrated, writable, and durable."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, Row, text

from chirpy.database.connections import DURABLE
from chirpy.database.deadlines import within
from chirpy.database.engine import AUTOCOMMIT, db
from chirpy.database.errors import NEXT_STEPS, READ_ONLY
from chirpy.database.migration_state import UnusableDatabase, require_migrated
from chirpy.settings import current_settings

# `reset_val` is the value without the SET of this session. Of the other sessions, a user without
# more rights sees its own.
STATE = text("""
    SELECT current_setting('transaction_read_only') = 'on' AS is_read_only,
        current_setting('synchronous_commit') AS synchronous_commit,
        (SELECT reset_val FROM pg_settings WHERE name = 'synchronous_commit') AS reset_val,
        current_setting('fsync') = 'on' AS has_fsync,
        pg_backend_pid() AS backend,
        EXISTS (
            SELECT FROM pg_stat_activity WHERE wait_event = 'SyncRep'
            AND datname = current_database() AND query_start < clock_timestamp() - interval '2 s'
        ) AS is_waiting
""")


class ReadOnly(UnusableDatabase):
    """The server is a standby, or read-only by a setting."""

    problem = "The database takes no writes"
    next_step = NEXT_STEPS[READ_ONLY]


class CommitsAreLost(UnusableDatabase):
    """COMMIT does not wait for the disk, and behind PgBouncer Chirpy cannot change that."""

    problem = (
        "A crash of Postgres can lose commits: behind PgBouncer, synchronous_commit is neither"
        " on nor remote_apply"
    )
    next_step = (
        "ALTER ROLE … SET synchronous_commit = 'on' for Chirpy's user in Postgres, then RECONNECT"
        " in the console of PgBouncer"
    )


class NoFsync(UnusableDatabase):
    """Postgres does not flush its files.

    `full_page_writes` is not checked: some file systems make it superfluous.
    """

    problem = "A crash of the machine can lose commits: fsync is off"
    next_step = "set fsync = on in postgresql.conf, then SELECT pg_reload_conf()"


class CommitsWait(UnusableDatabase):
    """Commits wait for a synchronous standby that does not answer."""

    problem = "Commits wait for a synchronous standby"
    next_step = "start the standby, or change synchronous_standby_names"


def require_usable(limit: float) -> None:
    """Raise UnusableDatabase, or DBAPIError if there is no answer within `limit` seconds.

    This uses a connection of its own, because all others may be in use.
    """
    with within(limit), db.engines[AUTOCOMMIT].connect() as connection:
        require_migrated(connection)
        for problem in find_problems(connection, current_settings().platform):
            raise problem


def find_problems(connection: Connection, platform: str) -> Iterator[UnusableDatabase]:
    """Yield what prevents writes, or can lose them; in development, fsync may be off."""
    state = connection.execute(STATE).one()
    commits = state.reset_val if is_pooled(connection, state) else state.synchronous_commit
    if state.is_read_only:
        yield ReadOnly()
    if commits not in DURABLE:
        yield CommitsAreLost()
    if platform == "prod" and not state.has_fsync:
        yield NoFsync()
    if state.is_waiting:
        yield CommitsWait()


def is_pooled(connection: Connection, state: Row[*tuple[Any, ...]]) -> bool:
    """Return whether PgBouncer is in between, which sends another process id than Postgres."""
    raw: Any = connection.connection.dbapi_connection
    return bool(raw.info.backend_pid != state.backend)
