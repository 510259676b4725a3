"""The queue in front of the threads: which request is next, and which one is refused.

A fresh job arrived in the future, so that these tests pass on a slow machine too.
"""

from collections.abc import Iterable
from functools import partial
from time import perf_counter

import pytest

from chirpy.server import job_queue
from chirpy.server.job_queue import EARLIER, LONG_WAIT, SOON, Job, JobQueue

FRESH = -60.0
LATE = (SOON + LONG_WAIT) / 2


def a_queue(*ages: tuple[str, float], max_wait: float = 30) -> JobQueue:
    """Return a queue of jobs that return their names, and have waited for some seconds."""
    queue = JobQueue(max_wait)
    for name, age in ages:
        assert queue.put(partial(str, name), str)
        queue.jobs.append(queue.jobs.pop()._replace(since=perf_counter() - age))
    return queue


def overload(queue: JobQueue, seconds: float) -> JobQueue:
    queue.short_at = perf_counter() - seconds
    return queue


def names_of(jobs: Iterable[Job]) -> str:
    return "".join(str(job.run()) for job in jobs)


def take_all(queue: JobQueue) -> str:
    return names_of(iter(queue.take, None))


def test_oldest_job_is_first() -> None:
    assert take_all(a_queue(("a", FRESH), ("b", FRESH), ("c", FRESH))) == "abc"


def test_newest_job_is_first_when_the_oldest_has_waited_long() -> None:
    assert take_all(a_queue(("a", 9), ("b", 9), ("c", FRESH))) == "cba"


def test_late_jobs_are_not_taken_in_a_long_overload() -> None:
    queue = overload(a_queue(("a", 9), ("b", LATE), ("c", FRESH)), 61)

    assert take_all(queue) == "c"
    assert names_of(queue.jobs) == "ab"


def test_late_jobs_are_taken_in_a_short_overload() -> None:
    assert take_all(overload(a_queue(("a", 9), ("b", LATE)), 50)) == "ba"


def test_overload_is_short_after_a_short_queue() -> None:
    """It need not have been empty."""
    queue = overload(a_queue(("a", FRESH), ("b", FRESH)), 61)
    queue.take()
    queue.jobs.extendleft(a_queue(("c", 9)).jobs)
    queue.jobs.extend(a_queue(("d", LATE)).jobs)

    assert take_all(queue) == "dbc"


def test_overload_ends_when_no_requests_arrive() -> None:
    """Otherwise bursts of requests would be an overload without an end."""
    assert take_all(overload(a_queue(("a", 9), ("b", 9)), 61)) == "ba"


def test_old_jobs_are_refused_and_a_part_of_the_queue_earlier() -> None:
    assert a_queue(("a", FRESH), max_wait=0).take_old() == []

    soon_old = [(name, 5 - EARLIER / 2) for name in "abcdefghij"]
    assert names_of(a_queue(*soon_old, max_wait=5).take_old()) == "ab"

    old = [(name, 9.0) for name in "abc"]
    assert names_of(a_queue(*old, ("d", FRESH), max_wait=5).take_old()) == "abc"


def test_queue_is_full(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_queue, "MAX_LENGTH", 2)

    assert not a_queue(("a", 0), ("b", 0)).put(str, str)
