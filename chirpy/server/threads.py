"""Threads that answer requests, and the queue in front of them.

The queue is first in, first out, as long as it is short. Under overload the newest request is
served first: its client still waits for the response, so that what is served is served fast. The
others are refused when they have waited for MAX_WAIT: no request waits long for a thread.
"""

import logging
from collections import deque
from collections.abc import Callable
from queue import SimpleQueue
from threading import Thread
from time import perf_counter
from typing import NamedTuple

LOG = logging.getLogger(__name__)
LONG_WAIT = 0.1  # seconds that the oldest request has waited when the newest is served first
MAX_WAIT = 0.5  # seconds in the queue, then the request is refused
MAX_QUEUE = 1000  # requests; further ones are refused immediately


class Job(NamedTuple):
    """What a thread should do, what to do instead if no thread is free, and since when it waits."""

    run: Callable[[], object]
    refuse: Callable[[], object]
    since: float


class ThreadPool:
    """A fixed number of threads that run jobs."""

    def __init__(self, threads: int) -> None:
        self.jobs: deque[Job] = deque()
        self.signals: SimpleQueue[None] = SimpleQueue()  # at least one for each job
        for _ in range(threads):
            Thread(target=self.work, daemon=True).start()

    def put(self, run: Callable[[], object], refuse: Callable[[], object]) -> None:
        """Let a thread call `run`, or call `refuse` if the queue is full or the wait too long."""
        if len(self.jobs) >= MAX_QUEUE:
            refuse()
        else:
            self.jobs.append(Job(run, refuse, perf_counter()))
            self.signals.put(None)

    def refuse_old(self) -> None:
        """Refuse the jobs that have waited too long. Call it often."""
        while self.oldest_waits_for(MAX_WAIT):
            self.jobs.popleft().refuse()

    def oldest_waits_for(self, seconds: float) -> bool:
        """Return whether the oldest job has waited for so long."""
        try:
            return perf_counter() - self.jobs[0].since > seconds
        except IndexError:
            return False

    def work(self) -> None:
        """Run jobs for ever."""
        while True:
            self.signals.get()
            try:
                newest_first = self.oldest_waits_for(LONG_WAIT)
                job = self.jobs.pop() if newest_first else self.jobs.popleft()
            except IndexError:  # refused, or taken by another thread
                continue
            try:
                job.run()
            except BaseException:
                LOG.exception("A thread of the server failed")
            del job  # and with it the request, before the wait for the next one
