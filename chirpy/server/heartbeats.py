"""Notice workers that are stuck, for instance stopped by SIGSTOP, and kill them.

Each worker counts its heartbeats in memory that it shares with the main process, which compares the
counts twice a second. It kills a worker whose count has not changed in STUCK_AFTER comparisons,
and granian replaces it. Comparisons are counted instead of seconds: after the laptop slept, or the
whole server was stopped, the main process has not compared either. On a busy machine both are slow.
"""

import logging
from collections.abc import MutableSequence
from multiprocessing.sharedctypes import RawArray
from time import sleep
from typing import Any

LOG = logging.getLogger(__name__)
PAUSE = 0.5  # seconds between two comparisons
STUCK_AFTER = 12  # comparisons: 6 seconds
NOT_STARTED = 0


class Heartbeats:
    """The counts of all workers, from 1 to 255 and again from 1."""

    def __init__(self, workers: int) -> None:
        self.counts: MutableSequence[int] = RawArray("B", workers)
        self.last = [NOT_STARTED] * workers
        self.unchanged = [0] * workers

    def beat(self, index: int) -> None:
        """Count a heartbeat. The worker calls this."""
        self.counts[index] = self.counts[index] % 255 + 1

    def forget(self, index: int) -> None:
        """Begin again, with a new worker, whose count can be that of the old one."""
        self.counts[index] = self.last[index] = NOT_STARTED

    def is_stuck(self, index: int) -> bool:
        """Compare the count with that of the last call."""
        count = self.counts[index]
        is_same = count == self.last[index] != NOT_STARTED
        self.last[index] = count
        self.unchanged[index] = self.unchanged[index] + 1 if is_same else 0
        return self.unchanged[index] >= STUCK_AFTER


def watch(heartbeats: Heartbeats, workers: list[Any]) -> None:
    """Kill stuck workers until the process ends. granian keeps the list up to date."""
    while True:
        sleep(PAUSE)
        for worker in tuple(workers):
            if heartbeats.is_stuck(worker.idx):
                LOG.error("Worker %s is stuck, it is replaced", worker.idx + 1)
                heartbeats.forget(worker.idx)
                worker.inner.kill()
