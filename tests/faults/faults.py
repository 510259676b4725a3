"""All faults: what fails, at which points, and what is promised then. The table is made of them."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from tests.faults.points import (
    BEFORE,
    BETWEEN,
    COMMIT,
    COMMITTED,
    CONNECT,
    EFFECT,
    WAIT,
)
from tests.faults.requests import NO_ANSWER
from tests.faults.world import OURS, ROLE, WAITING, World

SUCCESS = 2  # 204 for a webhook, 201 for a chirp
LIMIT = 6.0  # seconds for any request
NOTHING, ALL, EITHER = "nothing", "row and effect", "nothing, or row and effect"
Act = Callable[[World], object]


@dataclass(frozen=True)
class Outcome:
    """What is promised: the possible answers, within how many seconds, and what is committed."""

    answers: tuple[int, ...]
    left: str
    seconds: float = 2


OK = Outcome((SUCCESS,), ALL)
UNAVAILABLE = Outcome((503,), NOTHING)
BUG = Outcome((500,), NOTHING)
UNSURE = Outcome((503,), EITHER)
COMMITTED_503 = Outcome((503,), ALL)
UNANSWERED = Outcome((NO_ANSWER,), EITHER)


def late(outcome: Outcome, seconds: float = LIMIT) -> Outcome:
    """Return an outcome that takes longer."""
    return replace(outcome, seconds=seconds)


def nothing(_: World) -> None:
    """Do nothing."""


@dataclass(frozen=True)
class Fault:
    """A fault, and its outcome at each point.

    `before` happens before the requests, `during` while they are stopped at the point. Instead of
    stopping there, transactions can run the PL/pgSQL statement `act`, the first `times` of each
    table. Each request is sent in `copies`, concurrently.
    """

    name: str
    outcomes: dict[str, Outcome]
    during: Act | None = None
    before: Act = nothing
    act: str = ""
    times: int = 10**9
    copies: int = 1


def at(points: list[str], outcome: Outcome) -> dict[str, Outcome]:
    """Return the same outcome for several points."""
    return dict.fromkeys(points, outcome)


def resume_after(act: Act) -> Act:
    """Return what does this, and then lets the requests go on."""

    def run(world: World) -> None:
        act(world)
        world.undo.close()
        world.proxy.pass_all()

    return run


def raising(name: str, sqlstate: str, outcome: Outcome = UNAVAILABLE, times: int = 10**9) -> Fault:
    """Return the fault that an SQLSTATE is raised."""
    act = f"RAISE EXCEPTION 'the cause' USING ERRCODE = '{sqlstate}'"
    return Fault(f"{name} ({sqlstate})", at(INSIDE, outcome), act=act, times=times)


def executing(sql: str, undo: str) -> Act:
    """Return what runs a statement, and another one to undo it."""

    def run(world: World) -> None:
        world.sql(sql)
        world.undo.callback(world.sql, undo)
        world.disconnect()

    return run


def kill_postgres_and_lose_answers(world: World) -> None:
    """Kill Postgres, together with what it has sent and the proxy has kept."""
    world.kill_postgres()
    world.proxy.cut()


def setting(name: str, value: str) -> Act:
    """Return what changes a setting of the database and of the role."""
    return lambda world: world.set_everywhere(name, value)


INSIDE = [BETWEEN, EFFECT, COMMIT]
EXHAUSTED = f"ALTER ROLE {ROLE} CONNECTION LIMIT"
RIGHTS = "INSERT ON webhook_events, memberships, chirps"

FAULTS = [
    # Connections
    Fault(
        "The connection to the database is cut",
        {CONNECT: UNAVAILABLE, BEFORE: UNAVAILABLE, COMMITTED: COMMITTED_503} | at(INSIDE, UNSURE),
        lambda world: world.proxy.cut(),
    ),
    Fault(
        "`pg_terminate_backend`",
        at([BEFORE, *INSIDE], UNAVAILABLE),
        resume_after(lambda world: world.sql(f"SELECT pg_terminate_backend(pid, 10000) {OURS}")),
    ),
    Fault(
        "All connections of the role are in use (53300)",
        {CONNECT: UNAVAILABLE},
        before=executing(f"{EXHAUSTED} 0", f"{EXHAUSTED} -1"),
    ),
    # Postgres
    Fault(
        "Postgres is killed (`kill -9`)",
        at([CONNECT, BEFORE, *INSIDE], UNAVAILABLE) | {COMMITTED: COMMITTED_503},
        resume_after(kill_postgres_and_lose_answers),
    ),
    # Transactions
    Fault(
        "`pg_cancel_backend`",
        at(INSIDE, UNAVAILABLE),
        lambda world: world.sql(f"SELECT pg_cancel_backend(pid) FROM ({WAITING}) AS waiting"),
    ),
    Fault(
        "A lock is held for longer than `lock_timeout`",
        at(INSIDE, late(UNAVAILABLE, 4)),
        before=lambda world: world.close_gate(),
        act=WAIT,
    ),
    Fault(
        "A statement takes longer than `statement_timeout`",
        at([BETWEEN, EFFECT], late(UNAVAILABLE)),
        act="PERFORM pg_sleep(7)",
    ),
    raising("Serialization failure, three times", "40001", OK, 3),
    raising("Serialization failure, each time", "40001"),
    raising("Deadlock, three times", "40P01", OK, 3),
    raising("Deadlock, each time", "40P01"),
    # Operators
    raising("The disk is full", "53100"),
    raising("Out of memory", "53200"),
    raising("The server is read-only", "25006"),
    raising("A bug", "P0001", BUG),
    # Chirpy
    Fault(
        "The worker is killed (`kill -9`)",
        at([CONNECT, BEFORE, *INSIDE, COMMITTED], UNANSWERED),
        lambda world: world.kill_server(workers_only=True),
    ),
    Fault(
        "Server and workers are killed (`kill -9`)",
        at([COMMIT, COMMITTED], UNANSWERED),
        lambda world: world.kill_server(),
    ),
]
CASES = [(fault, point) for fault in FAULTS for point in fault.outcomes]
