"""Threads that answer requests, and the queue in front of them.

The queue is first in, first out, as long as it is short. Under overload the newest request is
served first: its client still waits for the response, so what is served is served fast. In a long
overload, a request that was not served soon after its arrival is not served later either, even if
a thread is idle for a moment. It is refused when it has waited for `max_wait`, not before: a client
that repeats it immediately would only add to the overload.

Of the idle threads, the last one that worked is woken: its memory is still in the processor's
cache. If all threads took turns, a request would take a tenth more processor time.
"""

import logging
from collections import deque
from collections.abc import Callable
from threading import Lock, Thread
from time import perf_counter
from typing import NamedTuple

LOG = logging.getLogger(__name__)
LONG_WAIT = 0.08  # seconds that the oldest request has waited when the newest is served first
LONG_OVERLOAD = 2  # times `max_wait` without an empty queue
SOON = 0.05  # seconds; in a long overload, only requests that waited less are served
EARLY = 5  # the part of the queue, a fifth, that can be refused a little earlier
EARLIER = 0.1  # seconds
MAX_QUEUE = 1000  # requests; further ones are refused immediately


class Job(NamedTuple):
    """What a thread should do, what to do instead if no thread is free, and since when it waits."""

    run: Callable[[], object]
    refuse: Callable[[], object]
    since: float


class ThreadPool:
    """A fixed number of threads that run jobs, or refuse them after `max_wait` seconds."""

    def __init__(self, threads: int, max_wait: float) -> None:
        self.max_wait = max_wait
        self.jobs: deque[Job] = deque()
        self.idle: list[Lock] = []  # one for each idle thread, which waits for its release
        self.changing = Lock()
        self.busy_since = perf_counter()  # when the queue was empty last
        for _ in range(threads):
            Thread(target=self.work, daemon=True).start()

    def put(self, run: Callable[[], object], refuse: Callable[[], object]) -> None:
        """Let a thread call `run`, or call `refuse` if the queue is full or the wait too long."""
        with self.changing:
            now = perf_counter()
            if not self.jobs:
                self.busy_since = now
            if fits := len(self.jobs) < MAX_QUEUE:
                self.jobs.append(Job(run, refuse, now))
                if self.idle:
                    self.idle.pop().release()
        if not fits:
            refuse()

    def refuse_old(self) -> None:
        """Refuse the jobs that have waited too long, some a little earlier. Call it often.

        Otherwise requests that arrived together would be refused, and sent again, together.
        """
        for _ in range(len(self.jobs) // EARLY):
            self.refuse_oldest(self.max_wait - EARLIER)
        while self.refuse_oldest(self.max_wait):
            pass

    def refuse_oldest(self, seconds: float) -> bool:
        """Refuse the oldest job if it has waited for so long, and return whether it has."""
        with self.changing:
            if not self.jobs or perf_counter() - self.jobs[0].since <= seconds:
                return False
            oldest = self.jobs.popleft()
        oldest.refuse()
        return True

    def work(self) -> None:
        """Run jobs until the process ends."""
        wake_up = Lock()
        wake_up.acquire()
        while True:
            call(self.next_action(wake_up))

    def next_action(self, wake_up: Lock) -> Callable[[], object]:
        """Return what a thread should do: the next job, or else wait for the next one."""
        with self.changing:
            if self.jobs and (job := self.take()):
                return job.run
            self.idle.append(wake_up)
            return wake_up.acquire

    def take(self) -> Job | None:
        """Remove and return the next job, unless all are too late."""
        now = perf_counter()
        if now - self.jobs[0].since < LONG_WAIT:
            return self.jobs.popleft()
        is_long = now - self.busy_since > LONG_OVERLOAD * self.max_wait
        is_late = now - self.jobs[-1].since > SOON
        return None if is_long and is_late else self.jobs.pop()


def call(function: Callable[[], object]) -> None:
    """Call a function. Log what it raises, so that the thread survives.

    When this returns, nothing refers to the request any more.
    """
    try:
        function()
    except BaseException:
        LOG.exception("A thread of the server failed")
