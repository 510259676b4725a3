"""Connect in time: a look-up of the host, several hosts and addresses can take any time."""

from collections.abc import Callable, Mapping
from functools import partial
from time import monotonic
from typing import Any

import psycopg2
from sqlalchemy import Engine, event

from chirpy.database.connection_attempts import ConnectionAttempt
from chirpy.database.deadlines import seconds_left
from chirpy.database.host_order import HostOrder
from chirpy.database.silence import QUICK, Silence
from chirpy.database.silence_detector import SilenceDetector
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


class Connector:
    """Connects the engines of an application in time, with `connect_arguments` if given."""

    def __init__(self, connect_arguments: ConnectArguments | None) -> None:
        self._connect_arguments = connect_arguments or dict
        self._silence = Silence()
        self._detector = SilenceDetector(self._silence)
        self._host_order = HostOrder()

    def listen(self, engine: Engine) -> None:
        """Connect for `engine`."""
        event.listen(engine, "do_connect", self._connect)

    def _connect(self, dialect: Any, _record: object, args: Any, kwargs: dict[str, Any]) -> Any:
        """Return a new connection before the deadline of the request, or raise OperationalError."""
        attempt = partial(self._attempt, dialect, args, kwargs)
        seconds = seconds_left()
        if seconds is None:  # no request waits
            return attempt()
        self._silence.refuse()
        start = monotonic()
        attempted = ConnectionAttempt(attempt)
        self._detector.watch(attempted, attempt)
        try:
            connection = attempted.wait(seconds)
        except psycopg2.OperationalError:
            if monotonic() - start > QUICK:
                self._silence.begin(attempt)
            raise
        self._detector.watch(connection, attempt)
        connection.on_no_answer = partial(self._silence.begin, attempt)
        return connection

    def _attempt(self, dialect: Any, args: Any, kwargs: dict[str, Any]) -> Any:
        """Return a new connection, without a deadline."""
        options = DEFAULTS | kwargs | ENCODING | dict(self._connect_arguments())
        start = monotonic()
        connection = dialect.connect(*args, **self._host_order.apply(options))
        self._detector.measure(monotonic() - start)
        self._host_order.remember(connection)
        return connection
