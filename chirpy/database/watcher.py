"""A thread that interrupts what waits too long for the database."""

import logging
import os
from functools import cache
from threading import Lock, Thread
from time import sleep
from typing import Protocol
from weakref import WeakSet

LOG = logging.getLogger(__name__)
CHECK = 0.05  # seconds between two looks at everything


class Watched(Protocol):
    """What the thread looks at."""

    def look_at_time(self) -> None:
        """Interrupt what is overdue."""


class Watcher:
    """A thread that ends with the process."""

    def __init__(self) -> None:
        self._all: WeakSet[Watched] = WeakSet()
        self._changing = Lock()
        Thread(target=self._run, daemon=True).start()

    def watch(self, watched: Watched) -> None:
        """Look at this again and again, until it is deleted."""
        with self._changing:
            self._all.add(watched)

    def _run(self) -> None:
        while True:
            sleep(CHECK)
            with self._changing:
                everything = list(self._all)
            while everything:  # pop, so that no variable keeps a connection alive
                look(everything.pop())


def look(watched: Watched) -> None:
    """Let it look at the time. Log what that raises, so that the thread survives."""
    try:
        watched.look_at_time()
    except Exception:
        LOG.exception("A watched connection failed")


@cache
def watcher() -> Watcher:
    """Return the watcher of this process."""
    return Watcher()


os.register_at_fork(after_in_child=watcher.cache_clear)  # threads do not survive a fork
