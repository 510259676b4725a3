"""Each fault at each point, on a real server and a real Postgres: the promises hold."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.faults.faults import ALL, CASES, EITHER, LIMIT, SUCCESS, Fault, Outcome
from tests.faults.points import ANSWERED, prepare_stop, requests_for, run_at, wait_for_stop
from tests.faults.requests import Answer, Request
from tests.faults.world import World, a_world
from tests.support.server import wait_until

pytestmark = pytest.mark.faults


@pytest.fixture(scope="module")
def shared_world() -> Iterator[World]:
    with a_world() as world:
        yield world


@pytest.fixture
def world(shared_world: World) -> Iterator[World]:
    yield shared_world
    shared_world.repair()


@pytest.mark.parametrize(("fault", "point"), CASES, ids=lambda part: getattr(part, "name", part))
def test_promises_hold(world: World, fault: Fault, point: str) -> None:
    requests = requests_for(world, point, fault.copies)
    fault.before(world)
    if fault.act:
        run_at(world, point, fault.act, fault.times)
    elif fault.during:
        prepare_stop(world, point)

    with ThreadPoolExecutor(len(requests)) as pool:
        sent = [pool.submit(request.send) for request in requests]
        if point == ANSWERED:
            wait_until(lambda: all(answer.done() for answer in sent))
        elif fault.during:
            wait_for_stop(world, point, requests)
        if fault.during:
            fault.during(world)
        answers = [answer.result() for answer in sent]
    world.repair()

    assert_promises_kept(list(zip(requests, answers, strict=True)), fault.outcomes[point])


def assert_promises_kept(sent: list[tuple[Request, Answer]], outcome: Outcome) -> None:
    """Assert what is promised in each case.

    A 2xx was sent if and only if row and effect are committed; an unsure answer may be committed
    too. One more delivery ends in a 2xx, with the effect once. Each request was answered in time.
    """
    for request, answer in sent:
        committed = request.committed()
        succeeded = answer.status == request.success
        assert committed == (outcome.left == ALL) or outcome.left == EITHER
        assert committed or not succeeded
        assert (SUCCESS if succeeded else answer.status) in outcome.answers
        assert answer.seconds <= outcome.seconds <= LIMIT

        again = request.send()
        assert again.status == request.success
        assert again.is_duplicate or not committed
        assert again.seconds <= LIMIT
        assert request.committed()
