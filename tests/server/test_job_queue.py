"""The queue in front of the threads: which request is next, and which one is refused."""

from collections.abc import Iterable
from functools import partial
from time import sleep

import pytest

from chirpy.server import job_queue
from chirpy.server.job_queue import Job, JobQueue


def a_queue(names: str) -> JobQueue:
    """Return a queue of jobs that return their names."""
    queue = JobQueue(max_wait=0.5)
    for name in names:
        assert queue.put(partial(str, name), str)
    return queue


def names_of(jobs: Iterable[Job]) -> str:
    return "".join(str(job.run()) for job in jobs)


def take_all(queue: JobQueue) -> str:
    return names_of(iter(queue.take, None))


def test_oldest_job_is_first() -> None:
    assert take_all(a_queue("abc")) == "abc"


def test_newest_job_is_first_when_the_oldest_has_waited_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(job_queue, "LONG_WAIT", -1)

    assert take_all(a_queue("abc")) == "cba"


def test_late_jobs_are_not_taken_in_a_long_overload(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_queue, "LONG_WAIT", -1)
    monkeypatch.setattr(job_queue, "LONG_OVERLOAD", -1)
    queue = a_queue("ab")
    sleep(2 * job_queue.SOON)
    assert take_all(queue) == ""

    queue.put(partial(str, "c"), str)
    assert take_all(queue) == "c"
    assert names_of(queue.jobs) == "ab"


def test_late_jobs_are_taken_in_a_short_overload(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not the time without an empty queue counts, but that without a short one."""
    queue = a_queue("abc")
    queue.short_at -= 60
    queue.take()
    monkeypatch.setattr(job_queue, "LONG_WAIT", -1)
    monkeypatch.setattr(job_queue, "SOON", -1)

    assert take_all(queue) == "cb"


def test_old_jobs_are_refused_and_a_part_of_the_queue_earlier() -> None:
    queue = a_queue("abcdefghij")
    assert queue.take_old() == []
    queue.max_wait = job_queue.EARLIER
    assert names_of(queue.take_old()) == "ab"
    queue.max_wait = 0
    assert names_of(queue.take_old()) == "cdefghij"


def test_queue_is_full(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_queue, "MAX_LENGTH", 2)

    assert not a_queue("ab").put(str, str)
