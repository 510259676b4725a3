"""Answer immediately while the database is silent, instead of letting each request wait for it."""

from contextlib import closing, suppress
from math import inf
from threading import Event, Lock, Thread
from time import monotonic, sleep

import psycopg2

from chirpy.database.connection_attempts import Connect

QUICK = 1  # second; an error that comes faster is an answer
PAUSE = 0.2  # seconds between two attempts
PATIENCE = 0.2  # seconds at the beginning in which requests wait: perhaps only one connection fails


class Silence:
    """Whether the database of this process has stopped answering. A thread finds out when it ends.

    A refusal is an answer: it costs no time, so each request may try again.
    """

    def __init__(self) -> None:
        self._over = Event()
        self._over.set()
        self._changing = Lock()
        self._began = -inf

    @property
    def is_over(self) -> bool:
        """Whether the database answers, as far as is known."""
        return self._over.is_set()

    def refuse(self) -> None:
        """Raise OperationalError while the database is silent."""
        if not self._over.wait(self._began + PATIENCE - monotonic()):
            raise psycopg2.OperationalError("The database is silent. Chirpy tries to connect")

    def begin(self, connect: Connect) -> None:
        """Let a thread call `connect` until it gets an answer."""
        with self._changing:
            if self._over.is_set():
                self._began = monotonic()
                self._over.clear()
                Thread(target=self._find_end, args=(connect,), daemon=True).start()

    def _find_end(self, connect: Connect) -> None:
        while not is_answered(connect):
            sleep(PAUSE)
        self._over.set()


def is_answered(connect: Connect) -> bool:
    """Return whether a statement succeeds, or an error comes quickly."""
    start = monotonic()
    with suppress(Exception), closing(connect()) as connection:
        connection.cursor().execute("SELECT 1")
        return True
    return monotonic() - start < QUICK
