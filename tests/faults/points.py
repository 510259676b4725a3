"""The points of a request at which something fails, and how to stop requests there."""

import re
from collections.abc import Sequence

from tests.faults.acts import lose_standby
from tests.faults.requests import Request
from tests.faults.world import GATE, WAITING, World
from tests.support.server import wait_until

BODY = "while the body is read"
CONNECT = "while it connects"
BEFORE = "before BEGIN"
BETWEEN = "between record and effect"
EFFECT = "after the effect"
COMMIT = "at COMMIT"
STANDBY = "while COMMIT waits for a standby"
COMMITTED = "after COMMIT, before the answer"
ANSWERED = "after the answer"
ALWAYS = "all the time"
INSIDE = [BETWEEN, EFFECT, COMMIT]
ORDER = [
    *(BODY, CONNECT, BEFORE, BETWEEN, EFFECT, COMMIT, STANDBY, COMMITTED, ANSWERED, ALWAYS),
]

STATEMENTS = re.compile(b"receive_event|INSERT INTO chirps")
WAIT = f"PERFORM pg_advisory_xact_lock_shared({GATE})"
# A chirp is one row: nothing is between record and effect.
TABLES = {
    BETWEEN: ["webhook_events"],
    EFFECT: ["memberships", "chirps"],
    COMMIT: ["memberships", "chirps"],
    COMMITTED: ["memberships", "chirps"],
}


def run_at(world: World, point: str, act: str, times: int, options: str = "") -> None:
    """Run a PL/pgSQL statement in the first transactions that come to a point."""
    deferred = point in {COMMIT, COMMITTED}
    world.fail_in(TABLES[point], act, times, deferred=deferred, options=options)


def prepare_stop(world: World, point: str) -> None:
    """Let requests stop at a point, those which are sent after this."""
    if point == CONNECT:
        world.disconnect()
        world.proxy.requests.clear()
    elif point == BEFORE:
        world.proxy.pattern = STATEMENTS
        world.proxy.requests.clear()
    elif point == STANDBY:
        lose_standby(world)
    elif point in TABLES:
        world.close_gate()
        run_at(world, point, WAIT, 10**9, "SET lock_timeout = 0")


def wait_for_stop(world: World, point: str, requests: Sequence[Request]) -> None:
    """Wait until requests that were sent have stopped at a point."""
    number = len(requests)
    if point == BODY:
        wait_until(lambda: len([client for client in world.clients if client.sock]) == number)
    elif point in {CONNECT, BEFORE}:
        wait_until(lambda: len(world.proxy.held) >= number)
    elif point in {*TABLES, STANDBY}:
        wait_until(lambda: len(world.sql(WAITING)) >= number)
    if point == COMMITTED:
        world.proxy.answers.clear()
        world.undo.close()  # opens the gate
        wait_until(lambda: all(request.committed() for request in requests))
