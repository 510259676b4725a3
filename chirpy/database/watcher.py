"""A thread that interrupts connections that are overdue."""

import os
from functools import cache
from threading import Lock, Thread
from time import sleep
from typing import Protocol
from weakref import WeakSet

CHECK = 0.1  # seconds between two looks at all connections


class Watched(Protocol):
    """What the thread looks at."""

    def interrupt_if_overdue(self) -> None:
        """Raise no exception, which would end the thread."""


class Watcher:
    """A thread that ends with the process."""

    def __init__(self) -> None:
        self._all: WeakSet[Watched] = WeakSet()
        self._changing = Lock()
        Thread(target=self._run, daemon=True).start()

    def watch(self, connection: Watched) -> None:
        """Interrupt this connection when it is overdue, until it is deleted."""
        with self._changing:
            self._all.add(connection)

    def _run(self) -> None:
        while True:
            sleep(CHECK)
            with self._changing:
                connections = list(self._all)
            while connections:  # pop, so that no variable keeps a connection alive
                connections.pop().interrupt_if_overdue()


@cache
def watcher() -> Watcher:
    """Return the watcher of this process."""
    return Watcher()


os.register_at_fork(after_in_child=watcher.cache_clear)  # threads do not survive a fork
