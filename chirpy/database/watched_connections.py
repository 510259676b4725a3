"""Connections of psycopg2 that keep deadlines.

libpq waits in C until the database answers. A thread shuts down the socket of each connection that
is overdue, and libpq returns an error.
"""

import os
import socket
from collections.abc import Callable
from contextlib import suppress
from math import inf
from time import monotonic
from typing import Any, TypeVar
from weakref import finalize

import psycopg2
from psycopg2 import extensions

from chirpy.database.deadlines import next_deadline
from chirpy.database.waits import current_wait
from chirpy.database.watcher import watcher

R = TypeVar("R")


class NoAnswer(psycopg2.OperationalError):
    """The database did not answer in time. The effect of the statement is unknown."""


class InDoubt(psycopg2.OperationalError):
    """A transaction is committed here, but perhaps not on the standby that should have it."""


class WatchedConnection(extensions.connection):
    """A connection that closes when a statement, a commit or a rollback is overdue."""

    deadline = inf  # of what it waits for
    answered = 0.0  # when it got its last answer
    is_interrupted = False
    on_no_answer: Callable[[], None] | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # A file descriptor of its own, because libpq can close the other at any time, and the
        # number then belongs to the next file that any thread opens.
        duplicate = socket.socket(fileno=os.dup(self.fileno()))
        self._shut_down = duplicate.shutdown
        self._close_duplicate = finalize(self, duplicate.close)
        self.answered = monotonic()
        watcher().watch(self)

    def wait_for(self, call: Callable[..., R], *args: Any) -> R:
        """Return `call(*args)`. Close the connection and raise NoAnswer if it is interrupted."""
        self.deadline = deadline = next_deadline()
        wait = current_wait.get()
        wait.since = now = monotonic()
        try:
            if deadline > now:
                result = call(*args)
                self.answered = monotonic()
                return result
        except psycopg2.Error:
            if not self.is_interrupted:
                raise
        finally:
            self.deadline = wait.since = inf
        self.close()
        if self.is_interrupted and self.on_no_answer:  # else the request used up its time itself
            self.on_no_answer()
        raise NoAnswer("The database did not answer in time; the connection is closed")

    def look_at_time(self) -> None:
        """Interrupt what is overdue. Called by the watcher."""
        if self.deadline < monotonic():
            self.interrupt()

    def interrupt(self) -> None:
        """End what waits for an answer, with an error. Any thread may call this."""
        self.is_interrupted = True
        with suppress(OSError):  # closed already
            self._shut_down(socket.SHUT_RDWR)

    def commit(self) -> None:
        """Commit. After NoAnswer or InDoubt, the transaction may be committed."""
        self.notices.clear()  # those of statements before
        self.wait_for(super().commit)
        self.refuse_warnings()

    def refuse_warnings(self) -> None:
        """Raise InDoubt if Postgres has sent a warning with its answer to a commit.

        It does so when an operator cancels the wait for a synchronous standby. The text is in the
        language of the server.
        """
        if self.notices:
            warning = self.notices.pop().strip()
            raise InDoubt(f"A commit is in doubt. Postgres warned: {warning}")

    def rollback(self) -> None:
        """Roll back, or else close the connection, so that Postgres rolls back."""
        try:
            self.wait_for(super().rollback)
        except psycopg2.Error:
            self.close()

    def close(self) -> None:
        """Close the connection, and with it both file descriptors."""
        self._close_duplicate()
        super().close()


class WatchedCursor(extensions.cursor):
    """A cursor whose statements keep the deadline of their connection."""

    connection: WatchedConnection

    def execute(self, query: Any, vars: Any = None) -> None:  # noqa: A002 - psycopg2's name
        """Run a statement, and BEGIN before it if it is the first of a transaction."""
        connection = self.connection
        connection.notices.clear()
        connection.wait_for(super().execute, query, vars)
        if connection.notices and connection.autocommit:
            connection.refuse_warnings()
