"""Bulkheads: what is slow gets only a part of the threads, so that the others serve all else."""

from collections import Counter
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from threading import Condition

from chirpy.web.refused import Refused


class Overloaded(Refused):
    """More requests arrive than can be served. Nothing has been done."""

    status = 503
    error = "The server has too many requests right now"
    hint = "Send the same request again"
    header = ("Retry-After", "1")  # second


class Bulkhead:
    """Lets a limited number of threads do the same thing at a time.

    For each key, up to `max_waiting` further threads wait for up to `timeout` seconds.
    """

    def __init__(self, max_waiting: int, timeout: float) -> None:
        self.max_waiting = max_waiting
        self.timeout = timeout
        self.running, self.waiting = Counter[Hashable](), Counter[Hashable]()
        self.changed = Condition()

    @contextmanager
    def enter(self, limit: int, key: Hashable = None) -> Iterator[None]:
        """Run the block when fewer than `limit` threads do so for `key`. Raise Overloaded (503)."""
        with self.changed:
            if self.running[key] >= limit:
                self.wait(limit, key)
            self.running[key] += 1
        try:
            yield
        finally:
            with self.changed:
                remove_one(self.running, key)
                if self.waiting:
                    self.changed.notify_all()

    def wait(self, limit: int, key: Hashable) -> None:
        """Wait until fewer than `limit` threads run. Raise Overloaded if that takes too long."""
        if self.waiting[key] >= self.max_waiting:
            raise Overloaded
        self.waiting[key] += 1
        is_free = self.changed.wait_for(lambda: self.running[key] < limit, self.timeout)
        remove_one(self.waiting, key)
        if not is_free:
            raise Overloaded


def remove_one(counter: Counter[Hashable], key: Hashable) -> None:
    """Subtract one from the count of a key, and forget a key with the count 0."""
    counter[key] -= 1
    if not counter[key]:
        del counter[key]
