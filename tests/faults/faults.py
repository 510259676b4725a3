"""A fault and its outcomes: what fails, at which points, and what is promised then."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from tests.faults.points import BETWEEN, INSIDE
from tests.faults.requests import NO_ANSWER, Delivery, Post, Request
from tests.faults.world import ROLE, World

SUCCESS = 2  # 204 for a webhook, 201 for a chirp
LIMIT = 6.0  # seconds for any request
SILENT = 1.0  # seconds for any request while the database is silent
NOTHING, ALL, EITHER = "nothing", "row and effect", "nothing, or row and effect"
Act = Callable[[World], object]


@dataclass(frozen=True)
class Outcome:
    """What is promised: the possible answers, what is committed, and the time after the fault."""

    answers: tuple[int, ...]
    left: str
    seconds: float = 2  # the whole request has LIMIT, unless this is more


OK = Outcome((SUCCESS,), ALL)
UNAVAILABLE = Outcome((503,), NOTHING)
BUG = Outcome((500,), NOTHING)
UNSURE = Outcome((503,), EITHER)
COMMITTED_503 = Outcome((503,), ALL)
UNANSWERED = Outcome((NO_ANSWER,), EITHER)


def late(outcome: Outcome, seconds: float = LIMIT) -> Outcome:
    """Return an outcome that takes longer."""
    return replace(outcome, seconds=seconds)


def soon(outcome: Outcome) -> Outcome:
    """Return an outcome of a silent database."""
    return replace(outcome, seconds=SILENT)


def nothing(_: World) -> None:
    """Do nothing."""


@dataclass(frozen=True)
class Fault:
    """A fault, and its outcome at each point.

    `before` happens before the requests, `during` while they are stopped at the point. Instead of
    stopping there, transactions can run the PL/pgSQL statement `act`, the first `times` of each
    table. `crowd` requests of each kind are sent, and each of them in `copies`, concurrently.
    With `pgbouncer`, the server connects to one in transaction mode.
    """

    name: str
    outcomes: dict[str, Outcome]
    during: Act | None = None
    before: Act = nothing
    act: str = ""
    times: int = 10**9
    kinds: tuple[type[Request], ...] = (Delivery, Post)
    crowd: int = 1
    copies: int = 1
    pgbouncer: bool = False

    def requests(self, world: World, point: str) -> list[Request]:
        """Return the requests to send. A chirp is one row: record and effect are the same."""
        kinds = (Delivery,) if point == BETWEEN else self.kinds
        new = [kind(world) for kind in kinds for _ in range(self.crowd)]
        return new * self.copies

    def behind_pgbouncer(self, outcomes: dict[str, Outcome], **changes: Any) -> "Fault":
        """Return the same fault behind a PgBouncer."""
        name = f"Behind PgBouncer in transaction mode: {self.name}"
        return replace(self, name=name, outcomes=outcomes, pgbouncer=True, **changes)


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


def executing(sql: str, undo: str = "") -> Act:
    """Return what runs a statement for new connections, and perhaps another one to undo it."""

    def run(world: World) -> None:
        world.sql(sql)
        world.disconnect()
        if undo:
            world.undo.callback(world.disconnect)
            world.undo.callback(world.sql, undo)

    return run


def setting(name: str, value: str) -> Act:
    """Return what changes a setting of the role and of the database."""
    return executing(
        f"ALTER ROLE {ROLE} SET {name} = {value}; ALTER DATABASE chirpy SET {name} = {value}"
    )
