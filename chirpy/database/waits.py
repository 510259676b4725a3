"""Whether a thread waits for the database, so that the server can let another one work."""

from contextvars import ContextVar
from math import inf


class Wait:
    """The wait of one thread. Its `since` is a time of `monotonic`, or inf if it does not wait."""

    since = inf

    def begin_long(self) -> None:
        """Begin a wait for other requests. It lasts long, and its end needs no processor time."""
        self.since = -inf


UNOBSERVED = Wait()  # of all threads that belong to no server of ours
current_wait: ContextVar[Wait] = ContextVar("current_wait", default=UNOBSERVED)
