"""The threads that answer requests."""

from collections.abc import Callable, Iterator
from functools import partial
from threading import Event, get_ident
from time import monotonic, perf_counter

import pytest

from chirpy.database.waits import Wait, current_wait
from chirpy.server import job_queue, threads
from chirpy.server.threads import AT_ONCE, STEP, ThreadPool
from tests.support.server import wait_until

Busy = tuple[ThreadPool, Callable[[], None]]


@pytest.fixture
def busy() -> Iterator[Busy]:
    """A pool whose only thread is busy, and a function that frees it."""
    pool, free = ThreadPool(1, 0.5), Event()
    pool.put(free.wait, free.set)
    wait_until(lambda: len(pool.jobs) == 0)
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


Full = tuple[ThreadPool, list[Wait], list[Event]]
LONG = 60  # seconds


@pytest.fixture
def full() -> Iterator[Full]:
    """A pool with AT_ONCE busy threads and STEP idle ones, what they wait for, and what ends them.

    Python's lock is contended.
    """
    pool, waits = ThreadPool(AT_ONCE + STEP, LONG), list[Wait]()
    ends = [Event() for _ in pool.idle]
    pool.lateness = LONG

    def work(end: Event) -> None:
        waits.append(current_wait.get())
        end.wait()

    for end in ends[:AT_ONCE]:
        pool.put(partial(work, end), end.set)
    wait_until(lambda: len(waits) == AT_ONCE)
    yield pool, waits, ends
    for end in ends:
        end.set()


def test_few_threads_work_at_the_same_time(full: Full) -> None:
    pool, waits, ends = full
    waits[0].since = monotonic() + LONG  # it does not wait long
    done = put(pool, "ab")
    pool.look_at_time()
    assert len(pool.idle) == STEP
    assert done == []

    ends[0].set()
    wait_until(lambda: done == ["a", "b"])


def test_more_threads_work_when_python_is_idle(full: Full) -> None:
    pool, _, _ = full
    pool.lateness = 0
    pool.looked_at = perf_counter()
    done = put(pool, "a")
    pool.look_at_time()

    wait_until(lambda: done == ["a"])
    assert pool.at_once == AT_ONCE + STEP


def test_fewer_threads_work_when_pythons_lock_is_contended(full: Full) -> None:
    pool, _, ends = full
    pool.at_once += STEP
    for end in ends[AT_ONCE:]:
        pool.put(end.wait, end.set)
    wait_until(lambda: len(pool.idle) == 0 and len(pool.jobs) == 0)
    done = put(pool, "a")
    pool.look_at_time()
    assert pool.at_once == AT_ONCE

    ends[0].set()
    wait_until(lambda: len(pool.idle) == 1)
    assert done == [], "this thread does not take the job"
    for end in ends[1 : STEP + 1]:
        end.set()
    wait_until(lambda: done == ["a"])


def test_another_thread_works_when_one_waits_long_for_the_database(full: Full) -> None:
    pool, waits, _ = full
    done = put(pool, "a")
    waits[0].since = monotonic() - 2 * threads.LONG_DATABASE_WAIT
    pool.look_at_time()

    wait_until(lambda: done == ["a"])


def test_another_thread_works_immediately_when_one_waits_for_other_requests(full: Full) -> None:
    pool, waits, _ = full
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
