"""Threads that answer requests.

Python runs one thread at a time, and the others slow it down. Granian's, which accepts requests,
must wait for its turn among them. So few threads work at the same time; more, up to all, when some
wait long for the database.

Of the idle threads, the last one that worked is woken: its memory is still in the processor's
cache. If all threads took turns, a request would take a tenth more processor time.
"""

import logging
from collections.abc import Callable
from threading import Lock, Thread
from time import monotonic

from chirpy.database.waits import Wait, current_wait
from chirpy.server.job_queue import JobQueue

LOG = logging.getLogger(__name__)
AT_ONCE = 4  # threads that work at the same time
# Seconds; a thread that waits longer for the database does not count. With a slow database, at
# least AT_ONCE requests begin in this time. If it was shorter, too many would under overload.
LONG_DATABASE_WAIT = 0.02


class ThreadPool:
    """A fixed number of threads that run jobs, or refuse them after `max_wait` seconds."""

    def __init__(self, threads: int, max_wait: float) -> None:
        self.jobs = JobQueue(max_wait)
        self.changing = Lock()
        self.idle = [Worker(self) for _ in range(threads)]
        self.working: set[Worker] = set()
        for worker in self.idle:
            Thread(target=worker.work, daemon=True).start()

    def put(self, run: Callable[[], object], refuse: Callable[[], object]) -> None:
        """Let a thread call `run`, or call `refuse` if the queue is full or the wait too long."""
        with self.changing:
            if fits := self.jobs.put(run, refuse):
                self.wake_one()
        if not fits:
            refuse()

    def wake_one(self) -> bool:
        """Wake an idle thread if there is work and another one may work; return whether it did."""
        if not (self.jobs.jobs and self.idle and self.count_working() < AT_ONCE):
            return False
        worker = self.idle.pop()
        self.working.add(worker)
        worker.wake_up.release()
        return True

    def count_working(self) -> int:
        """Return how many threads work and do not wait long for the database."""
        if len(self.working) < AT_ONCE:
            return len(self.working)
        limit = monotonic() - LONG_DATABASE_WAIT
        return sum(worker.since > limit for worker in self.working)

    def look_at_time(self) -> None:
        """Wake threads in place of those that wait, and refuse old jobs. Call it often."""
        with self.changing:
            while self.wake_one():
                pass
            old = self.jobs.take_old()
        for job in old:
            job.refuse()

    def next_action(self, worker: "Worker") -> Callable[[], object]:
        """Return what a thread should do: the next job, or else wait for the next one."""
        with self.changing:
            if self.count_working() <= AT_ONCE and (job := self.jobs.take()):
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
