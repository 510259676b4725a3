"""A worker process that is stuck is replaced, and only such a worker."""

import os
import signal
from time import monotonic, sleep

import pytest

from chirpy.server.heartbeats import STUCK_AFTER, Heartbeats
from tests.support.server import Server, wait_until

SUSPENDED = 8  # seconds; a stuck worker is replaced earlier


def comparisons(heartbeats: Heartbeats) -> int:
    """Return after how many comparisons the worker is stuck."""
    return next(count for count in range(1, 1000) if heartbeats.is_stuck(0))


def test_worker_is_stuck_after_comparisons_without_a_heartbeat() -> None:
    heartbeats = Heartbeats(1)
    assert not any(heartbeats.is_stuck(0) for _ in range(100))  # it is starting
    for _ in range(1000):
        heartbeats.beat(0)
        assert not heartbeats.is_stuck(0)

    assert comparisons(heartbeats) == STUCK_AFTER
    heartbeats.beat(0)
    assert comparisons(heartbeats) == STUCK_AFTER + 1
    heartbeats.forget(0)
    assert not any(heartbeats.is_stuck(0) for _ in range(100))


def test_new_worker_is_not_stuck_when_its_count_is_that_of_the_old_one() -> None:
    heartbeats = Heartbeats(1)
    heartbeats.beat(0)
    comparisons(heartbeats)

    heartbeats.forget(0)
    heartbeats.beat(0)
    assert not heartbeats.is_stuck(0)


@pytest.mark.faults
def test_stopped_worker_is_replaced_unless_all_processes_were_stopped(
    crashable_server: Server,
) -> None:
    workers = sorted(crashable_server.workers)
    processes = [*workers, crashable_server.process.pid]
    for stop, pause in ((signal.SIGSTOP, SUSPENDED), (signal.SIGCONT, 2)):
        for process in processes:
            os.kill(process, stop)
        sleep(pause)
    assert sorted(crashable_server.workers) == workers

    begin = monotonic()
    os.kill(workers[0], signal.SIGSTOP)
    wait_until(lambda: workers[0] not in crashable_server.workers)

    assert monotonic() - begin < 12  # usually 6 to 7
    assert "is stuck" in crashable_server.log
    wait_until(lambda: len(crashable_server.workers) == 2)
    assert workers[1] in crashable_server.workers
    for _ in range(10):
        assert crashable_server.request("GET", "/api/healthz").status == 200
