"""All faults: what fails, at which points, and what is promised then. The table is made of them."""

import signal
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from tests.faults.points import (
    ALWAYS,
    ANSWERED,
    BEFORE,
    BETWEEN,
    BODY,
    COMMIT,
    COMMITTED,
    CONNECT,
    EFFECT,
    STANDBY,
    WAIT,
)
from tests.faults.requests import NO_ANSWER, Delivery, Post, Request
from tests.faults.world import OURS, ROLE, WAITING, World
from tests.support.server import wait_until

SUCCESS = 2  # 204 for a webhook, 201 for a chirp
LIMIT = 6.0  # seconds for any request
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


def executing(sql: str, undo: str) -> Act:
    """Return what runs a statement for new connections, and another one to undo it."""

    def run(world: World) -> None:
        world.sql(sql)
        world.undo.callback(world.disconnect)
        world.undo.callback(world.sql, undo)
        world.disconnect()

    return run


def kill_postgres_and_lose_answers(world: World) -> None:
    """Kill Postgres, together with what it has sent and the proxy has kept."""
    world.kill_postgres()
    world.proxy.cut()


def setting(name: str, value: str) -> Act:
    """Return what changes a setting of the database and of the role, for new connections."""

    def run(world: World) -> None:
        world.sql(f"ALTER ROLE {ROLE} SET {name} = {value}")
        world.sql(f"ALTER DATABASE chirpy SET {name} = {value}")
        world.disconnect()

    return run


def become_standby(world: World) -> None:
    """Let the server find a read-only standby where its primary was."""
    world.start_standby()
    world.undo.callback(setattr, world.proxy, "target", world.proxy.target)
    world.connect_to(world.standby)


def migrate_while_serving(world: World) -> None:
    """Commit a migration of all tables, for whose locks the requests wait."""
    wait_until(lambda: len(world.sql(WAITING)) >= 2)
    world.undo.close()


INSIDE = [BETWEEN, EFFECT, COMMIT]
LIMIT_OF_ROLE = f"ALTER ROLE {ROLE} CONNECTION LIMIT"
RIGHTS = f"INSERT ON webhook_events, memberships, chirps {{}} {ROLE}"
MIGRATION = "".join(
    f"ALTER TABLE {table} DROP COLUMN IF EXISTS new, ADD COLUMN new text;"
    for table in ("webhook_events", "memberships", "chirps")
)
MIGRATION += "DO $$ BEGIN EXECUTE pg_get_functiondef('receive_event'::regproc); END $$"
RENAMED = "ALTER TABLE {} RENAME TO {}; ALTER TABLE {} RENAME TO {}"

SILENT = Fault(
    "The database is silent: it accepts bytes, and answers nothing",
    {CONNECT: late(UNAVAILABLE)} | at([BEFORE, *INSIDE, COMMITTED], late(UNSURE)),
    lambda world: world.proxy.silence(),
)
CUT = Fault(
    "The connection to the database is cut",
    at([CONNECT, BEFORE], UNAVAILABLE)
    | at(INSIDE, UNSURE)
    | at([STANDBY, COMMITTED], COMMITTED_503),
    lambda world: world.proxy.cut(),
)
NOT_RUNNING = Fault(
    "Postgres does not run",
    {CONNECT: UNAVAILABLE},
    before=lambda world: world.kill_postgres(),
)
STANDBY_CANCELLED = Fault(
    "The wait for the synchronous standby is cancelled (`pg_cancel_backend`)",
    {STANDBY: COMMITTED_503},
    lambda world: world.sql(f"SELECT pg_cancel_backend(pid) FROM ({WAITING}) AS waiting"),
)
ASYNCHRONOUS = Fault(
    "`synchronous_commit = off` for database and role, and Postgres is killed",
    {ANSWERED: OK},
    lambda world: world.kill_postgres(),
    before=setting("synchronous_commit", "off"),
    kinds=(Delivery,),
)
FAULTS = [
    # The database is away
    SILENT,
    CUT,
    NOT_RUNNING,
    Fault(
        "Postgres is stopped (`SIGSTOP`)",
        at([CONNECT, BEFORE, *INSIDE], late(UNSURE)),
        resume_after(lambda world: world.send_postgres(signal.SIGSTOP)),
    ),
    Fault(
        "Postgres is killed (`kill -9`)",
        at([CONNECT, BEFORE, *INSIDE], UNAVAILABLE) | at([STANDBY, COMMITTED], COMMITTED_503),
        resume_after(kill_postgres_and_lose_answers),
    ),
    Fault(
        "One process of Postgres is killed (`kill -9`), which restarts all",
        at([BEFORE, *INSIDE], UNAVAILABLE) | {STANDBY: COMMITTED_503},
        resume_after(lambda world: world.kill_backends(world.sql(f"SELECT pid {OURS}"))),
    ),
    Fault(
        "`pg_terminate_backend`",
        at([BEFORE, *INSIDE], UNAVAILABLE) | {STANDBY: COMMITTED_503},
        resume_after(lambda world: world.disconnect()),
    ),
    Fault(
        "All connections of the role are in use (53300)",
        {CONNECT: UNAVAILABLE},
        before=executing(f"{LIMIT_OF_ROLE} 0", f"{LIMIT_OF_ROLE} -1"),
    ),
    # COMMIT
    Fault(
        "The synchronous standby is missing",
        {STANDBY: late(COMMITTED_503)},
        nothing,
    ),
    STANDBY_CANCELLED,
    ASYNCHRONOUS,
    replace(ASYNCHRONOUS, name=f"{ASYNCHRONOUS.name}, for a chirp", kinds=(Post,)),
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
        at([BETWEEN, EFFECT], late(UNAVAILABLE)) | {COMMIT: late(UNSURE)},
        act="PERFORM pg_sleep(6.5)",
    ),
    raising("Serialization failure, three times", "40001", OK, 3),
    raising("Serialization failure, each time", "40001"),
    raising("Deadlock, three times", "40P01", OK, 3),
    raising("Deadlock, each time", "40P01"),
    Fault(
        "`default_transaction_isolation = serializable`, eight copies at the same time",
        {ALWAYS: OK},
        before=setting("default_transaction_isolation", "serializable"),
        copies=8,
    ),
    # What an operator can mend
    raising("The disk is full", "53100"),
    raising("I/O error", "58030"),
    raising("Out of memory", "53200"),
    raising("The server is read-only", "25006"),
    Fault(
        "`default_transaction_read_only = on`",
        {ALWAYS: UNAVAILABLE},
        before=setting("default_transaction_read_only", "on"),
    ),
    Fault(
        "A read-only standby is where the primary was",
        {ALWAYS: UNAVAILABLE},
        before=become_standby,
    ),
    Fault(
        "The primary is killed, and its synchronous standby promoted",
        {ANSWERED: OK},
        lambda world: world.promote_standby(),
        before=lambda world: world.start_standby(),
    ),
    Fault(
        "A migration adds columns and replaces the function",
        {ALWAYS: OK},
        migrate_while_serving,
        before=lambda world: world.undo.callback(world.close_gate(MIGRATION).commit),
        crowd=20,
    ),
    Fault(
        "`search_path` leads to no table",
        {ALWAYS: UNAVAILABLE},
        before=executing(
            f"ALTER ROLE {ROLE} SET search_path = nowhere", f"ALTER ROLE {ROLE} RESET search_path"
        ),
    ),
    Fault(
        "A table is missing",
        {ALWAYS: UNAVAILABLE},
        before=executing(
            RENAMED.format("memberships", "lost", "chirps", "lost_too"),
            RENAMED.format("lost", "memberships", "lost_too", "chirps"),
        ),
    ),
    Fault(
        "The right to insert is missing (42501)",
        {ALWAYS: UNAVAILABLE},
        before=executing("REVOKE " + RIGHTS.format("FROM"), "GRANT " + RIGHTS.format("TO")),
    ),
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
    Fault(
        "The worker is stopped (`SIGSTOP`), and replaced",
        {COMMIT: late(UNANSWERED, 10)},
        resume_after(lambda world: world.stop_workers()),
    ),
    Fault(
        "80 requests at the same time, each of which takes 0.2 s",
        {EFFECT: late(Outcome((SUCCESS, 503), EITHER))},
        act="PERFORM pg_sleep(0.2)",
        crowd=40,
    ),
    Fault(
        "80 requests at the same time, and the database is silent",
        {ALWAYS: late(UNSURE)},
        before=lambda world: world.proxy.silence(),
        crowd=40,
    ),
    # The client
    Fault("The body does not arrive", {BODY: Outcome((408,), NOTHING, 11)}, nothing),
    Fault(
        "The client closes the connection",
        {BODY: Outcome((NO_ANSWER,), NOTHING)}
        | at([CONNECT, BEFORE, *INSIDE, COMMITTED], UNANSWERED),
        resume_after(lambda world: world.hang_up()),
    ),
]
# Its sessions have the settings of the role only.
FAULTS += [
    Fault("Nothing fails", {ALWAYS: OK}).behind_pgbouncer({ALWAYS: OK}),
    SILENT.behind_pgbouncer(at([BEFORE, COMMIT, COMMITTED], late(UNSURE))),
    CUT.behind_pgbouncer({BEFORE: UNAVAILABLE, COMMIT: UNSURE, COMMITTED: COMMITTED_503}),
    NOT_RUNNING.behind_pgbouncer({CONNECT: late(UNAVAILABLE)}),
    STANDBY_CANCELLED.behind_pgbouncer(STANDBY_CANCELLED.outcomes),
    ASYNCHRONOUS.behind_pgbouncer(ASYNCHRONOUS.outcomes),
]
CASES = [(fault, point) for fault in FAULTS for point in fault.outcomes]
