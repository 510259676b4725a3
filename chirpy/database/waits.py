"""Whether a thread waits for the database, so that the server can let another one work."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from math import inf
from time import monotonic


class Wait:
    """The wait of one thread. Its `since` is a time of `monotonic`, or inf if it does not wait."""

    since = inf

    def begin_long(self) -> None:
        """Begin a wait for other requests. It lasts long, and its end needs no processor time."""
        self.since = -inf


UNOBSERVED = Wait()  # of all threads that belong to no server of ours
current_wait: ContextVar[Wait] = ContextVar("current_wait", default=UNOBSERVED)


@contextmanager
def waiting() -> Iterator[None]:
    """Say that the current thread waits during the block."""
    wait = current_wait.get()
    wait.since = monotonic()
    try:
        yield
    finally:
        wait.since = inf
