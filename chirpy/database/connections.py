"""The connections of the pool: how each is made, configured and checked before use."""

from collections.abc import Callable, Mapping
from select import POLLIN, poll
from typing import Any

import psycopg2
from sqlalchemy import Engine, event
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.pool import ConnectionPoolEntry

UNUSED = "chirpy.unused"  # in the info of a pooled connection that has run no statement yet
CONNECT_TIMEOUT = 5  # seconds until an unreachable host counts as down
CONNECT_ARGS = {
    "connect_timeout": CONNECT_TIMEOUT,
    "application_name": "chirpy",
    "client_encoding": "utf8",  # instead of PGCLIENTENCODING or the encoding of the database
}
# In one round trip. A webhook that waits longer should be answered with 503 and be sent again.
SESSION_SETTINGS = (
    "SET lock_timeout = '2s'; SET statement_timeout = '5s';"
    " SET default_transaction_isolation = 'read committed'"
)

ConnectArguments = Callable[[], Mapping[str, Any]]  # returns those of psycopg2.connect


class ConnectFailed(psycopg2.OperationalError):
    """No `ConnectArguments` can be provided. The text says why and what to do next."""


def use_connect_arguments(engine: Engine, connect_arguments: ConnectArguments) -> None:
    """Call `connect_arguments` before each new connection, and connect with what it returns."""

    @event.listens_for(engine, "do_connect")
    def add_arguments(_dialect: object, _record: object, _args: object, kwargs: Any) -> None:
        kwargs.update(connect_arguments())


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


def is_closed(connection: psycopg2.extensions.connection) -> bool:
    """Return whether an idle connection has something to read: Postgres has closed it.

    Rarely it is a notice; replacing that connection does no harm. Looking at the socket costs no
    round trip, unlike a ping before each use.
    """
    socket = poll()
    socket.register(connection.fileno(), POLLIN)
    return bool(socket.poll(0))
