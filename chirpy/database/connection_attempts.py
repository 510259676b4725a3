"""Attempts to connect, each in a thread of its own: libpq can wait for any time."""

from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from math import inf
from threading import Thread
from time import monotonic
from typing import Any

import psycopg2

from chirpy.database.waits import waiting

Connect = Callable[[], Any]


class ConnectionAttempt:
    """Calls `connect`. When nothing waits for the connection any more, the thread closes it."""

    deadline = inf  # of what waits for the connection
    answered = 0.0  # when the attempt succeeded or failed

    def __init__(self, connect: Connect) -> None:
        self._connected: Future[Any] = Future()
        Thread(target=self._run, args=(connect,), daemon=True).start()

    def wait(self, seconds: float) -> Any:
        """Return the connection, or raise OperationalError after some seconds."""
        self.deadline = monotonic() + seconds
        try:
            with waiting(), suppress(TimeoutError, CancelledError):
                return self._connected.result(seconds)
            if self._connected.cancel():
                raise psycopg2.OperationalError("No connection to the database in time")
            return self._connected.result()
        finally:
            self.deadline = inf

    def interrupt(self) -> None:
        """End the wait, with an error."""
        self._connected.cancel()

    def _run(self, connect: Connect) -> None:
        connection = error = None
        try:
            connection = connect()
        except Exception as raised:  # noqa: BLE001 - what waits raises it
            error = raised
        self.answered = monotonic()
        if not self._connected.set_running_or_notify_cancel():
            if connection:
                connection.close()
        elif error:
            self._connected.set_exception(error)
        else:
            self._connected.set_result(connection)
