"""The queue of requests in front of the threads.

It is first in, first out, as long as it is short. Under overload the newest request is served
first: its client still waits for the response, so what is served is served fast. In a long
overload, a request that was not served soon after its arrival is not served later either, even if
a thread is idle for a moment. It is refused when it has waited for `max_wait`, not before: a client
that repeats it immediately would only add to the overload.
"""

from collections import deque
from collections.abc import Callable
from time import perf_counter
from typing import NamedTuple

LONG_WAIT = 0.15  # seconds that the oldest request has waited when the newest is served first
LONG_OVERLOAD = 2  # times `max_wait` without a short queue
SOON = 0.05  # seconds; in a long overload, only requests that waited less are served
EARLY = 5  # the part of the queue, a fifth, that can be refused a little earlier
EARLIER = 0.1  # seconds
MAX_LENGTH = 1000  # requests; further ones are refused immediately


class Job(NamedTuple):
    """What a thread should do, what to do instead if no thread is free, and since when it waits."""

    run: Callable[[], object]
    refuse: Callable[[], object]
    since: float


class JobQueue:
    """Jobs that wait. Only one thread at a time may use it."""

    def __init__(self, max_wait: float) -> None:
        self.max_wait = max_wait
        self.jobs: deque[Job] = deque()
        self.short_at = perf_counter()  # when it was short last

    def __len__(self) -> int:
        return len(self.jobs)

    def put(self, run: Callable[[], object], refuse: Callable[[], object]) -> bool:
        """Add a job, unless the queue is full. Return whether it fits."""
        now = perf_counter()
        if not self.jobs:
            self.short_at = now
        fits = len(self.jobs) < MAX_LENGTH
        if fits:
            self.jobs.append(Job(run, refuse, now))
        return fits

    def take(self) -> Job | None:
        """Remove and return the next job. Return None if there is none, or all are too late."""
        if not self.jobs:
            return None
        now = perf_counter()
        if now - self.jobs[0].since < LONG_WAIT:
            self.short_at = now
            return self.jobs.popleft()
        newest_wait = now - self.jobs[-1].since
        if newest_wait > LONG_WAIT:  # without a new request, the overload has ended
            self.short_at = now
        is_long = now - self.short_at > LONG_OVERLOAD * self.max_wait
        return None if is_long and newest_wait > SOON else self.jobs.pop()

    def take_old(self) -> list[Job]:
        """Remove and return the jobs that must be refused, because they have waited too long.

        Some are refused a little earlier. Otherwise requests that arrived together would be
        refused, and sent again, together.
        """
        now, early = perf_counter(), len(self.jobs) // EARLY
        old: list[Job] = []
        while self.jobs:
            limit = self.max_wait - (EARLIER if len(old) < early else 0)
            if now - self.jobs[0].since <= limit:
                break
            old.append(self.jobs.popleft())
        return old
