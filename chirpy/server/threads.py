"""Threads that answer requests.

Python runs one thread at a time, and the others slow it down. Granian's, which accepts requests,
must wait for its turn among them. Therefore only few threads of a pool work at the same time, and
more only when they do not need Python: because the database is slow, or some wait long for it.

Of the idle threads, the last one that worked is woken: its memory is still in the processor's
cache. If all threads took turns, a request would take a tenth more processor time.
"""

import logging
from collections.abc import Callable
from threading import Lock, Thread
from time import monotonic, perf_counter

from chirpy.database.waits import Wait, current_wait
from chirpy.server.job_queue import JobQueue

LOG = logging.getLogger(__name__)
TICK = 0.05  # seconds between two calls of `look_at_time`
AT_ONCE = 4  # threads that work at the same time, at least
STEP = 2  # so many more at a time, or fewer
# Seconds; a thread that waits longer for an answer of the database does not count. If it was
# shorter, too many threads would work under overload, when all answers take longer.
LONG_DATABASE_WAIT = 0.02
# Seconds that the event loop comes too late, because it waits for Python's lock or a processor. On
# average, it is 0.3 ms in an idle process, and 2 to 8 ms in one that works as fast as it can.
CONTENTION = 0.0016
WEIGHT = 0.2  # of the last tick in the average


class ThreadPool:
    """A fixed number of threads that run jobs, or refuse them after `max_wait` seconds."""

    def __init__(self, threads: int, max_wait: float) -> None:
        self.jobs = JobQueue(max_wait)
        self.changing = Lock()
        self.idle = [Worker(self) for _ in range(threads)]
        self.working: set[Worker] = set()
        self.threads, self.at_once = threads, AT_ONCE
        self.lateness, self.looked_at = 0.0, perf_counter()
        for worker in self.idle:
            Thread(target=worker.work, daemon=True).start()

    def put(self, run: Callable[[], object], refuse: Callable[[], object]) -> None:
        """Let a thread call `run`, or call `refuse` if the queue is full or the wait too long."""
        with self.changing:
            if fits := self.jobs.put(run, refuse):
                self.wake_one()
        if not fits:
            refuse()

    def wake_one(self) -> None:
        """Wake an idle thread if there is work and another one may work."""
        if self.jobs and self.idle and self.count_working() < self.at_once:
            worker = self.idle.pop()
            self.working.add(worker)
            worker.wake_up.release()

    def count_working(self) -> int:
        """Return how many threads work and do not wait long for the database."""
        if len(self.working) < self.at_once:
            return len(self.working)
        limit = monotonic() - LONG_DATABASE_WAIT
        return sum(worker.since > limit for worker in self.working)

    def look_at_time(self) -> None:
        """Wake threads in place of those that wait, and refuse old jobs. Call it often."""
        with self.changing:
            old = self.jobs.take_old()
            self.adapt(perf_counter())
            for _ in range(min(len(self.jobs), len(self.idle))):
                self.wake_one()
        for job in old:
            job.refuse()

    def adapt(self, now: float) -> None:
        """Let more threads work if requests wait and Python's lock is free, else fewer."""
        late = now - self.looked_at - TICK
        self.looked_at = now
        self.lateness += (late - self.lateness) * WEIGHT
        if self.lateness > CONTENTION:
            self.at_once = max(AT_ONCE, self.at_once - STEP)
        elif self.jobs:
            self.at_once = min(self.threads, self.at_once + STEP)

    def next_action(self, worker: "Worker") -> Callable[[], object]:
        """Return what a thread should do: the next job, or else wait for the next one."""
        with self.changing:
            if self.count_working() <= self.at_once and (job := self.jobs.take()):
                return job.run
            self.working.remove(worker)
            self.idle.append(worker)
            return worker.wake_up.acquire


class Worker(Wait):
    """One thread of a pool."""

    def __init__(self, pool: ThreadPool) -> None:
        self.pool = pool
        self.wake_up = Lock()
        self.wake_up.acquire()

    def work(self) -> None:
        """Run jobs until the process ends."""
        current_wait.set(self)
        self.wake_up.acquire()
        while True:
            call(self.pool.next_action(self))

    def begin_long(self) -> None:
        """Let another thread work instead."""
        super().begin_long()
        with self.pool.changing:
            self.pool.wake_one()


def call(function: Callable[[], object]) -> None:
    """Call a function. Log what it raises, so that the thread survives.

    When this returns, nothing refers to the request any more.
    """
    try:
        function()
    except BaseException:
        LOG.exception("A thread of the server failed")
