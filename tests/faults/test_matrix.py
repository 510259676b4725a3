"""Each fault at each point, on a real server and a real Postgres: the promises hold."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from time import monotonic

import pytest

from tests.faults.cases import CASES
from tests.faults.faults import ALL, EITHER, LIMIT, SUCCESS, Fault, Outcome
from tests.faults.points import ANSWERED, BODY, prepare_stop, run_at, wait_for_stop
from tests.faults.requests import NO_ANSWER, Answer, Request
from tests.faults.world import World, a_world, with_pgbouncer
from tests.support.pgbouncer import needs_pgbouncer
from tests.support.server import wait_until

pytestmark = pytest.mark.faults


@pytest.fixture(scope="module")
def shared_world() -> Iterator[World]:
    with a_world() as world:
        yield world


@pytest.fixture(scope="module")
def pgbouncer_world(shared_world: World) -> Iterator[World]:
    with with_pgbouncer(shared_world) as world:
        yield world


@pytest.fixture
def world(request: pytest.FixtureRequest, fault: Fault) -> Iterator[World]:
    name = "pgbouncer_world" if fault.pgbouncer else "shared_world"
    world: World = request.getfixturevalue(name)
    yield world
    world.end.close()
    world.repair()


@pytest.mark.parametrize(
    ("fault", "point"),
    [pytest.param(*case, marks=needs_pgbouncer if case[0].pgbouncer else ()) for case in CASES],
    ids=lambda part: getattr(part, "name", part),
)
def test_promises_hold(world: World, fault: Fault, point: str) -> None:
    requests = fault.requests(world, point)
    fault.before(world)
    if fault.act:
        run_at(world, point, fault.act, fault.times)
    elif fault.during:
        prepare_stop(world, point)

    with ThreadPoolExecutor(len(requests)) as pool:
        sent = [pool.submit(request.send, half=point == BODY) for request in requests]
        if point == ANSWERED:
            wait_until(lambda: all(answer.done() for answer in sent))
        elif fault.during:
            wait_for_stop(world, point, requests)
        if fault.during:
            fault.during(world)
        time_of_fault = monotonic()
        if NO_ANSWER not in fault.outcomes[point].answers:
            assert_alive(world)
        answers = [answer.result() for answer in sent]
    world.repair()

    print(world.server.log[-3000:])  # noqa: T201 - pytest shows it if the test fails
    for request, answer in zip(requests, answers, strict=True):
        assert_promises_kept(request, answer, fault.outcomes[point], time_of_fault)


def assert_alive(world: World) -> None:
    """Assert that the server answers what needs no database, whatever the database does."""
    begin = monotonic()
    assert world.server.request("GET", "/api/healthz").status == 200
    assert monotonic() - begin < 0.5


def assert_promises_kept(
    request: Request, answer: Answer, outcome: Outcome, time_of_fault: float
) -> None:
    """Assert what is promised in each case.

    A 2xx was sent if and only if row and effect are committed; an unsure answer may be committed
    too. One more delivery ends in a 2xx, with the effect once. Each request was answered in time.
    """
    succeeded = answer.status == request.success
    committed = request.committed()
    assert committed or not succeeded
    assert committed == (outcome.left == ALL) or outcome.left == EITHER
    assert (SUCCESS if succeeded else answer.status) in outcome.answers
    assert answer.end - time_of_fault <= outcome.seconds
    assert answer.end - answer.start <= max(LIMIT, outcome.seconds)

    again = request.send()
    assert again.status == request.success
    assert again.is_duplicate or not committed
    assert again.end - again.start <= LIMIT
    assert request.committed()
