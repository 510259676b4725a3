"""Threads that want a database connection take turns, and none waits longer than it wants."""

from concurrent.futures import ThreadPoolExecutor
from time import monotonic, sleep

from chirpy.database.slots import Slots

TIMEOUT = 0.05  # seconds


def test_threads_that_come_back_at_once_do_not_pass_those_that_wait() -> None:
    slots = Slots(2)
    end = monotonic() + 0.5

    def use(_: int) -> int:
        turns = 0
        while monotonic() < end:
            assert slots.acquire(10)
            sleep(0.001)
            slots.release()
            turns += 1
        return turns

    with ThreadPoolExecutor(6) as pool:
        turns = list(pool.map(use, range(6)))

    assert min(turns) > max(turns) / 2 > 5


def test_waiting_ends_at_the_timeout_and_takes_no_slot() -> None:
    slots = Slots(1)
    assert slots.acquire(TIMEOUT)

    with ThreadPoolExecutor(4) as pool:
        start = monotonic()
        assert list(pool.map(slots.acquire, [TIMEOUT] * 4)) == [False] * 4
        assert TIMEOUT <= monotonic() - start < 5

    slots.release()
    assert [slots.acquire(TIMEOUT) for _ in range(2)] == [True, False]
