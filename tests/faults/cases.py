"""All cases: what fails, at which points, and what is promised. The table is made of them."""

from dataclasses import replace

from tests.faults import acts
from tests.faults.faults import (
    BUG,
    COMMITTED_503,
    EITHER,
    NOTHING,
    OK,
    SUCCESS,
    UNANSWERED,
    UNAVAILABLE,
    UNSURE,
    Fault,
    Outcome,
    at,
    executing,
    late,
    nothing,
    raising,
    resume_after,
    setting,
    soon,
)
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
    INSIDE,
    STANDBY,
    WAIT,
)
from tests.faults.requests import NO_ANSWER, Delivery, Post
from tests.faults.world import ROLE, World

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
    {CONNECT: soon(UNAVAILABLE)} | at([BEFORE, *INSIDE, COMMITTED], soon(UNSURE)),
    acts.silence,
)
CUT = Fault(
    "The connection to the database is cut",
    at([CONNECT, BEFORE], UNAVAILABLE)
    | at(INSIDE, UNSURE)
    | at([STANDBY, COMMITTED], COMMITTED_503),
    acts.cut,
)
NOT_RUNNING = Fault("Postgres does not run", {CONNECT: UNAVAILABLE}, before=acts.kill_postgres)
STANDBY_CANCELLED = Fault(
    "The wait for the synchronous standby is cancelled (`pg_cancel_backend`)",
    {STANDBY: COMMITTED_503},
    acts.cancel,
)
ASYNCHRONOUS = Fault(
    "`synchronous_commit = off` for database and role, and Postgres is killed",
    {ANSWERED: OK},
    acts.kill_postgres,
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
        at([CONNECT, BEFORE, *INSIDE], soon(UNSURE)),
        resume_after(acts.stop_postgres),
    ),
    Fault(
        "Postgres is killed (`kill -9`)",
        at([CONNECT, BEFORE, *INSIDE], UNAVAILABLE) | at([STANDBY, COMMITTED], COMMITTED_503),
        resume_after(acts.kill_postgres),
    ),
    Fault(
        "One process of Postgres is killed (`kill -9`), which restarts all",
        at([BEFORE, *INSIDE], UNAVAILABLE) | {STANDBY: COMMITTED_503},
        resume_after(acts.kill_backends),
    ),
    Fault(
        "`pg_terminate_backend`",
        at([BEFORE, *INSIDE], UNAVAILABLE) | {STANDBY: COMMITTED_503},
        resume_after(World.disconnect),
    ),
    Fault(
        "All connections of the role are in use (53300)",
        {CONNECT: UNAVAILABLE},
        before=executing(f"{LIMIT_OF_ROLE} 0", f"{LIMIT_OF_ROLE} -1"),
    ),
    # COMMIT
    Fault("The synchronous standby is missing", {STANDBY: late(COMMITTED_503)}, nothing),
    STANDBY_CANCELLED,
    ASYNCHRONOUS,
    replace(ASYNCHRONOUS, name=f"{ASYNCHRONOUS.name}, for a chirp", kinds=(Post,)),
    # Transactions
    Fault("`pg_cancel_backend`", at(INSIDE, UNAVAILABLE), acts.cancel),
    Fault(
        "A lock is held for longer than `lock_timeout`",
        at(INSIDE, late(UNAVAILABLE, 4)),
        before=World.close_gate,
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
        before=acts.connect_to_standby,
    ),
    Fault(
        "The primary is killed, and its synchronous standby promoted",
        {ANSWERED: OK},
        acts.promote_standby,
        before=acts.start_standby,
    ),
    Fault(
        "A migration adds columns and replaces the function",
        {ALWAYS: OK},
        acts.finish_migration,
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
        acts.kill_workers,
    ),
    Fault(
        "Server and workers are killed (`kill -9`)",
        at([COMMIT, COMMITTED], UNANSWERED),
        acts.kill_server,
    ),
    Fault(
        "The worker is stopped (`SIGSTOP`), and replaced",
        {COMMIT: late(UNANSWERED, 10)},
        resume_after(acts.stop_workers),
    ),
    Fault(
        "80 requests at the same time, each of which takes 0.2 s",
        {EFFECT: late(Outcome((SUCCESS, 503), EITHER))},
        act="PERFORM pg_sleep(0.2)",
        crowd=40,
    ),
    Fault(
        "80 requests at the same time, and the database is silent",
        {ALWAYS: soon(UNSURE)},
        before=acts.silence,
        crowd=40,
    ),
    # The client
    Fault("The body does not arrive", {BODY: Outcome((408,), NOTHING, 11)}, nothing),
    Fault(
        "The client closes the connection",
        {BODY: Outcome((NO_ANSWER,), NOTHING)}
        | at([CONNECT, BEFORE, *INSIDE, COMMITTED], UNANSWERED),
        resume_after(acts.hang_up),
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
