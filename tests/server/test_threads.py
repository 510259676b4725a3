"""The threads that answer requests."""

from collections.abc import Callable, Iterator
from functools import partial
from threading import Event, get_ident
from time import monotonic, sleep

import pytest

from chirpy.database.waits import Wait, current_wait
from chirpy.server import job_queue, threads
from chirpy.server.threads import AT_ONCE, ThreadPool
from tests.support.server import wait_until

Busy = tuple[ThreadPool, Callable[[], None]]


@pytest.fixture
def busy() -> Iterator[Busy]:
    """A pool whose only thread is busy, and a function that frees it."""
    pool, free = ThreadPool(1, 0.5), Event()
    pool.put(free.wait, free.set)
    wait_until(lambda: not pool.jobs.jobs)
    yield pool, free.set
    free.set()


def put(pool: ThreadPool, names: str) -> list[str]:
    """Put a job for each name. Return the list to which they add it, `-` in front if refused."""
    done: list[str] = []
    for name in names:
        pool.put(partial(done.append, name), partial(done.append, f"-{name}"))
    return done


def test_jobs_run_in_the_order_of_their_arrival(busy: Busy) -> None:
    pool, free = busy
    done = put(pool, "abc")
    free()

    wait_until(lambda: done == ["a", "b", "c"])


def test_job_is_refused_after_a_long_wait_and_when_the_queue_is_full(
    busy: Busy, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool, free = busy
    monkeypatch.setattr(job_queue, "MAX_LENGTH", 2)
    done = put(pool, "abc")
    assert done == ["-c"]
    pool.look_at_time()
    assert done == ["-c"]

    pool.jobs.max_wait = -1
    pool.look_at_time()
    free()
    later = put(pool, "d")
    wait_until(lambda: later == ["d"])

    assert done == ["-c", "-a", "-b"]


def test_last_thread_that_worked_works_next() -> None:
    pool, workers = ThreadPool(3, max_wait=1), list[int]()
    for _ in range(4):
        pool.put(lambda: workers.append(get_ident()), workers.clear)
        wait_until(lambda: len(workers) > 0 and len(pool.idle) == 3)

    assert workers == workers[:1] * 4


@pytest.fixture
def full() -> Iterator[tuple[ThreadPool, list[Wait]]]:
    """A pool with as many busy threads as may work at the same time, and what they wait for."""
    pool, waits, free = ThreadPool(AT_ONCE + 2, max_wait=60), list[Wait](), Event()

    def work() -> None:
        waits.append(current_wait.get())
        free.wait()

    for _ in range(AT_ONCE):
        pool.put(work, free.set)
    wait_until(lambda: len(waits) == AT_ONCE)
    yield pool, waits
    free.set()


def test_few_threads_work_at_the_same_time(full: tuple[ThreadPool, list[Wait]]) -> None:
    pool, waits = full
    waits[0].since = monotonic()  # it does not wait long
    done = put(pool, "a")
    pool.look_at_time()
    sleep(0.01)
    assert done == []
    assert len(pool.idle) == 2


def test_another_thread_works_when_one_waits_long_for_the_database(
    full: tuple[ThreadPool, list[Wait]],
) -> None:
    pool, waits = full
    done = put(pool, "a")
    waits[0].since = monotonic() - 2 * threads.LONG_DATABASE_WAIT
    pool.look_at_time()

    wait_until(lambda: done == ["a"])


def test_another_thread_works_immediately_when_one_waits_for_other_requests(
    full: tuple[ThreadPool, list[Wait]],
) -> None:
    pool, waits = full
    done = put(pool, "a")
    waits[0].begin_long()

    wait_until(lambda: done == ["a"])


def test_thread_survives_the_failure_of_a_job(busy: Busy, caplog: pytest.LogCaptureFixture) -> None:
    pool, free = busy

    def fail() -> None:
        raise SystemExit

    pool.put(fail, fail)
    done = put(pool, "a")
    free()

    wait_until(lambda: done == ["a"])
    assert "A thread of the server failed" in caplog.text
