"""The threads that answer requests, and the queue in front of them."""

from collections.abc import Callable, Iterator
from functools import partial
from threading import Event, get_ident
from time import sleep

import pytest

from chirpy.server import threads
from chirpy.server.threads import ThreadPool
from tests.support.server import wait_until

Busy = tuple[ThreadPool, Callable[[], None]]


@pytest.fixture
def busy() -> Iterator[Busy]:
    """A pool whose only thread is busy, and a function that frees it."""
    pool, free = ThreadPool(1, 0.5), Event()
    pool.put(free.wait, free.set)
    wait_until(lambda: not pool.jobs)
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


def test_newest_job_is_first_when_the_oldest_has_waited_long(
    busy: Busy, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool, free = busy
    monkeypatch.setattr(threads, "LONG_WAIT", -1)
    done = put(pool, "abc")
    free()

    wait_until(lambda: done == ["c", "b", "a"])


def test_late_jobs_do_not_run_in_a_long_overload(
    busy: Busy, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool, free = busy
    monkeypatch.setattr(threads, "LONG_WAIT", -1)
    monkeypatch.setattr(threads, "LONG_OVERLOAD", -1)
    done = put(pool, "ab")
    sleep(2 * threads.SOON)
    free()
    wait_until(lambda: len(pool.idle) == 1)
    assert done == []

    pool.put(partial(done.append, "c"), done.clear)
    wait_until(lambda: done == ["c"] and len(pool.idle) == 1)
    pool.max_wait = 0
    pool.refuse_old()
    assert done == ["c", "-a", "-b"]


def test_job_is_refused_after_a_long_wait_and_when_the_queue_is_full(
    busy: Busy, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool, free = busy
    monkeypatch.setattr(threads, "MAX_QUEUE", 2)
    done = put(pool, "abc")
    assert done == ["-c"]
    pool.refuse_old()
    assert done == ["-c"]

    pool.max_wait = -1
    pool.refuse_old()
    free()
    later = put(pool, "d")
    wait_until(lambda: later == ["d"])

    assert done == ["-c", "-a", "-b"]


def test_last_thread_that_worked_works_next() -> None:
    pool, workers = ThreadPool(3, max_wait=1), list[int]()
    wait_until(lambda: len(pool.idle) == 3)
    for _ in range(4):
        pool.put(lambda: workers.append(get_ident()), workers.clear)
        wait_until(lambda: len(workers) > 0 and len(pool.idle) == 3)

    assert workers == workers[:1] * 4


def test_thread_survives_the_failure_of_a_job(busy: Busy, caplog: pytest.LogCaptureFixture) -> None:
    pool, free = busy

    def fail() -> None:
        raise SystemExit

    pool.put(fail, fail)
    done = put(pool, "a")
    free()

    wait_until(lambda: done == ["a"])
    assert "A thread of the server failed" in caplog.text
