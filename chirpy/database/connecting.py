"""Connect in time: a look-up of the host, several hosts and addresses can take any time."""

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from threading import Semaphore, Thread
from typing import Any

import psycopg2
from sqlalchemy import Engine, event

from chirpy.database.deadlines import seconds_left
from chirpy.database.watched_connections import WatchedConnection, WatchedCursor

MAX_ATTEMPTS = 64  # at the same time in a process; most of them are of requests that have ended
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

Connect = Callable[[], Any]
ConnectArguments = Callable[[], Mapping[str, Any]]  # returns those of psycopg2.connect


class ConnectFailed(psycopg2.OperationalError):
    """No `ConnectArguments` can be provided. The text says why and what to do next."""


def connect_in_time(engine: Engine, connect_arguments: ConnectArguments | None) -> None:
    """Let `engine` connect before the deadline, with what `connect_arguments` returns, if given."""
    attempts = Semaphore(MAX_ATTEMPTS)

    @event.listens_for(engine, "do_connect")
    def connect(dialect: Any, _record: object, args: Any, kwargs: dict[str, Any]) -> Any:
        def attempt() -> Any:
            more = connect_arguments() if connect_arguments else {}
            return dialect.connect(*args, **DEFAULTS | kwargs | ENCODING | dict(more))

        return run_in_time(attempt, attempts)


def run_in_time(connect: Connect, attempts: Semaphore) -> Any:
    """Return `connect()`, or raise OperationalError at the deadline of the request.

    The thread that still waits for libpq then closes the connection when it has one.
    """
    seconds = seconds_left()
    if seconds is None:  # no request waits
        return connect()
    if not attempts.acquire(blocking=False):
        raise psycopg2.OperationalError(f"{MAX_ATTEMPTS} connections are not made yet")
    connected: Future[Any] = Future()
    Thread(target=run, args=(connect, connected, attempts), daemon=True).start()
    try:
        return connected.result(seconds)
    except TimeoutError:
        connected.add_done_callback(close)
        raise psycopg2.OperationalError("No connection to the database in time") from None


def run(connect: Connect, connected: Future[Any], attempts: Semaphore) -> None:
    """Connect in this thread."""
    try:
        connected.set_result(connect())
    except Exception as error:  # noqa: BLE001 - the caller raises it
        connected.set_exception(error)
    finally:
        attempts.release()


def close(connected: Future[Any]) -> None:
    """Close a connection that nobody waits for any more."""
    if not connected.exception():
        connected.result().close()
