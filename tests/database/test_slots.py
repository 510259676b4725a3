"""Threads that want a database connection take turns, and none waits longer than it wants."""

from concurrent.futures import ThreadPoolExecutor
from time import monotonic, sleep

from chirpy.database.slots import Slots, SlotsByKey

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


def test_slots_of_a_key_are_its_own_and_shared_by_all_that_use_them() -> None:
    slots = SlotsByKey()
    of_a, of_b = slots.slots("a", 1), slots.slots("b", 1)

    assert [each.acquire(0) for each in (of_a, of_b, slots.slots("a", 1))] == [True, True, False]
    del of_a, of_b
    assert slots.slots("a", 1).acquire(0)  # forgotten, with its slots
