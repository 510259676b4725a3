"""The connections of the pool: how each is made, configured and checked before use."""

from select import POLLIN, poll
from time import monotonic
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.pool import ConnectionPoolEntry

from chirpy.database.watched_connections import WatchedConnection

JUST_NOW = 0.02  # seconds since the last answer
UNUSED = "chirpy.unused"  # in the info of a pooled connection that has run no statement yet
DURABLE = ("on", "remote_apply")  # values of synchronous_commit; the others can lose a commit
# In one round trip, whatever is set for the database or the role, now or later. A webhook that
# waits longer should be answered with 503 and be sent again. A warning at COMMIT says that it is
# in doubt.
SESSION_SETTINGS = f"""
    SET lock_timeout = '2s';
    SET statement_timeout = '5s';
    SET default_transaction_isolation = 'read committed';
    SET TimeZone = 'UTC';
    SET client_min_messages = 'warning';
    SELECT set_config('synchronous_commit', CASE
        WHEN current_setting('synchronous_commit') IN {DURABLE}
        THEN current_setting('synchronous_commit') ELSE 'on' END, false)
"""


def configure_connections(engine: Engine) -> None:
    """Configure each new connection, and discard pooled ones that Postgres has closed."""

    @event.listens_for(engine, "connect")
    def configure(connection: Any, record: ConnectionPoolEntry) -> None:
        record.info[UNUSED] = True
        # As a statement, because PgBouncer refuses start-up options.
        connection.cursor().execute(SESSION_SETTINGS)
        connection.commit()

    @event.listens_for(engine, "checkout")
    def refuse_closed(connection: Any, record: ConnectionPoolEntry, _proxy: object) -> None:
        # If a new connection is closed already, its first statement fails: a 503. Without this
        # exception the pool would connect again and again.
        if not record.info.pop(UNUSED, False) and is_closed(connection):
            raise DisconnectionError("Postgres has closed this connection")


def is_closed(connection: WatchedConnection) -> bool:
    """Return whether an idle connection is closed, or Postgres has something to say: it closes it.

    Rarely it is a notice; replacing that connection does no harm. Looking at the socket costs no
    round trip, unlike a ping before each use. But then other threads run first, so a connection
    that was used just now counts as open: under load, this makes a request a twentieth faster.
    """
    if connection.closed:
        return True
    if monotonic() - connection.answered < JUST_NOW:
        return False
    socket = poll()
    socket.register(connection.fileno(), POLLIN)
    return bool(socket.poll(0))
