"""Connect in time: a look-up of the host, several hosts and addresses can take any time."""

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from functools import partial
from threading import Thread
from time import monotonic
from typing import Any

import psycopg2
from sqlalchemy import Engine, event

from chirpy.database.deadlines import seconds_left
from chirpy.database.host_order import HostOrder
from chirpy.database.silence import QUICK, Connect, Silence
from chirpy.database.watched_connections import WatchedConnection, WatchedCursor

ENCODING = {"client_encoding": "utf8"}  # instead of PGCLIENTENCODING or that of the database
DEFAULTS: dict[str, Any] = {  # DB_URL can change these
    "application_name": "chirpy",
    "connect_timeout": 2,  # seconds, for each address of each host
    # For connections that are idle. What waits for an answer has a deadline.
    "keepalives_idle": 10,  # seconds
    "keepalives_interval": 3,
    "keepalives_count": 3,
    "tcp_user_timeout": 5000,  # milliseconds
    "connection_factory": WatchedConnection,
    "cursor_factory": WatchedCursor,
}

ConnectArguments = Callable[[], Mapping[str, Any]]  # returns those of psycopg2.connect


class ConnectFailed(psycopg2.OperationalError):
    """No `ConnectArguments` can be provided. The text says why and what to do next."""


def connect_in_time(
    engine: Engine,
    connect_arguments: ConnectArguments | None,
    silence: Silence,
    host_order: HostOrder,
) -> None:
    """Let `engine` connect before the deadline, with what `connect_arguments` returns, if given."""

    @event.listens_for(engine, "do_connect")
    def connect(dialect: Any, _record: object, args: Any, kwargs: dict[str, Any]) -> Any:
        def attempt() -> Any:
            more = connect_arguments() if connect_arguments else {}
            options = host_order.apply(DEFAULTS | kwargs | ENCODING | dict(more))
            return host_order.remember(dialect.connect(*args, **options))

        seconds = seconds_left()
        if seconds is None:  # no request waits
            return attempt()
        silence.refuse()
        start = monotonic()
        try:
            connection = run_in_time(attempt, seconds)
        except psycopg2.OperationalError:
            if monotonic() - start > QUICK:
                silence.begin(attempt)
            raise
        connection.on_no_answer = partial(silence.begin, attempt)
        return connection


def run_in_time(connect: Connect, seconds: float) -> Any:
    """Return `connect()`, or raise OperationalError after some seconds.

    The thread that still waits for libpq then closes the connection when it has one.
    """
    connected: Future[Any] = Future()
    Thread(target=run, args=(connect, connected), daemon=True).start()
    try:
        return connected.result(seconds)
    except TimeoutError:
        connected.add_done_callback(close)
        raise psycopg2.OperationalError("No connection to the database in time") from None


def run(connect: Connect, connected: Future[Any]) -> None:
    """Connect in this thread."""
    try:
        connected.set_result(connect())
    except Exception as error:  # noqa: BLE001 - the caller raises it
        connected.set_exception(error)


def close(connected: Future[Any]) -> None:
    """Close a connection that nobody waits for any more."""
    if not connected.exception():
        connected.result().close()
