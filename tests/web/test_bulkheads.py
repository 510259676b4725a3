"""A bulkhead lets a limited number of threads pass at a time, for each key."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from chirpy.web.bulkheads import Bulkhead, Overloaded
from tests.support.server import wait_until


def test_limit_counts_for_each_key_and_ends_with_the_block() -> None:
    bulkhead = Bulkhead(max_waiting=0, timeout=1)
    a, b = bulkhead.enter(2, "a"), bulkhead.enter(2, "b")
    with a, b, bulkhead.enter(2, "a"), pytest.raises(Overloaded), bulkhead.enter(2, "a"):
        pass
    with pytest.raises(KeyError), bulkhead.enter(1, "a"):
        raise KeyError

    with bulkhead.enter(1, "a"):
        pass
    assert not bulkhead.running


def test_wait_ends_when_a_place_is_free_or_after_the_timeout() -> None:
    bulkhead = Bulkhead(max_waiting=1, timeout=0.05)

    def enter() -> str:
        try:
            with bulkhead.enter(1):
                return "entered"
        except Overloaded as error:
            return error.error

    with ThreadPoolExecutor() as pool, ExitStack() as stack:
        stack.enter_context(bulkhead.enter(1))
        assert pool.submit(enter).result() == Overloaded.error
        bulkhead.timeout = 10
        waits = pool.submit(enter)
        wait_until(lambda: bulkhead.waiting)
        assert enter() == Overloaded.error
        stack.close()

        assert waits.result() == "entered"
    assert not bulkhead.waiting
