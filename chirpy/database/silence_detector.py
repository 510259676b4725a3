"""Notice that the database is silent, before a deadline does.

A single statement can take long: it waits for a lock, or its COMMIT for a standby. The database is
silent if it does not answer anything else either: no statement of this process, and no attempt to
connect. PgBouncer answers attempts itself, so that a statement in its queue does not look like a
silence. Behind it, only the deadline of a statement shows a silence.
"""

import logging
from math import ceil, inf
from threading import Lock
from typing import Protocol
from weakref import WeakSet

from chirpy.database.connection_attempts import Connect, ConnectionAttempt
from chirpy.database.silence import Silence
from chirpy.database.watcher import CHECK, watcher

LOG = logging.getLogger(__name__)
# Looks are counted, one each CHECK: a process that was suspended has not looked either.
SUSPICIOUS = 5  # looks without any answer (0.25 s), then there is an attempt to connect
SILENT = 8  # further looks (0.4 s), then the database is silent
TIMES = 3  # SILENT is so many times the fastest attempt, if that is more: the database is far away


class Waiting(Protocol):
    """A connection, or an attempt to connect."""

    deadline: float  # inf if it waits for nothing
    answered: float  # when the database answered last

    def interrupt(self) -> None:
        """End what waits, with an error."""


class SilenceDetector:
    """Lets the silence begin, and interrupts all that waits if it is not over at the next look."""

    def __init__(self, silence: Silence) -> None:
        self._silence = silence
        self._changing = Lock()
        self._all: WeakSet[Waiting] = WeakSet()
        self._looks = 0  # without any answer
        self._last_answer = 0.0
        self._has_noticed = False
        self._fastest = inf

    def watch(self, waiting: Waiting, connect: Connect) -> None:
        """Interrupt this in a silence. `connect` makes an attempt."""
        self._connect = connect
        with self._changing:
            self._all.add(waiting)
        watcher().watch(self)  # each time, because a fork ends the thread

    def measure(self, seconds: float) -> None:
        """Learn how long an attempt takes."""
        self._fastest = min(self._fastest, seconds)

    def look_at_time(self) -> None:
        """Notice a silence. Called by the watcher."""
        with self._changing:
            everything = list(self._all)
        waiting = [each for each in everything if each.deadline < inf]
        last_answer = max((each.answered for each in everything), default=0)
        if self._has_noticed and not self._silence.is_over:
            for each in waiting:
                each.interrupt()
        elif self._has_noticed or not waiting or last_answer > self._last_answer:
            self._has_noticed, self._looks, self._last_answer = False, 0, last_answer
        else:
            self._looks += 1
            self._suspect()

    def _suspect(self) -> None:
        """Attempt to connect, or decide, when it is time."""
        if self._looks == SUSPICIOUS:
            self._attempt = ConnectionAttempt(lambda: self._connect().close())
            self.watch(self._attempt, self._connect)
        elif self._looks >= SUSPICIOUS + self._patience():
            self._has_noticed = True
            LOG.error("The database is silent. Requests that need it are refused until it answers")
            self._silence.begin(self._connect)

    def _patience(self) -> int:
        """Return after how many looks an attempt fails."""
        return SILENT if self._fastest == inf else max(SILENT, ceil(TIMES * self._fastest / CHECK))
