"""Examine whether the database takes writes, and keeps what is committed."""

from collections.abc import Iterator
from time import perf_counter

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from chirpy.database.connections import DURABLE
from chirpy.database.deadlines import within
from chirpy.database.migration_state import UnusableDatabase
from chirpy.database.readiness import CommitsAreLost, CommitsWait, NoFsync, ReadOnly, find_problems
from chirpy.server.doctor.facts import Facts
from chirpy.server.doctor.findings import NOTE, Finding, problem
from chirpy.server.doctor.postgres_commands import Postgres, identifier

LIMIT = 3  # seconds for a commit
WRITE = text("SELECT pg_logical_emit_message(true, 'chirpy', '')")  # waits as a commit, adds no row
RESET = "RESET default_transaction_read_only"
RELOAD = "SELECT pg_reload_conf()"


def examine_commits(
    connection: Connection, facts: Facts, postgres: Postgres, platform: str
) -> Iterator[Finding]:
    """Find what prevents writes or can lose them, then commit one."""
    # With the settings of production, to name also what a developer may ignore.
    for found in find_problems(connection, "prod"):
        subject = "writes" if isinstance(found, ReadOnly) else "durable commits"
        finding = problem(subject, found.problem, found.next_step, repair(found, facts, postgres))
        is_ignored = isinstance(found, NoFsync) and platform == "dev"
        yield finding._replace(state=NOTE) if is_ignored else finding
        if isinstance(found, ReadOnly | CommitsWait):
            return
    began = perf_counter()
    try:
        with within(LIMIT):
            connection.execute(WRITE)
    except DBAPIError as error:
        step = repair(CommitsWait(), facts, postgres)
        yield problem("durable commits", f"a commit failed: {error.orig}".strip(), step)
        return
    milliseconds = 1000 * (perf_counter() - began)
    own = f"; Chirpy sets synchronous_commit, which is {facts.commits} for others"
    text = f"one took {milliseconds:.1f} ms{'' if facts.commits in DURABLE else own}"
    yield Finding("durable commits", text)


def repair(found: UnusableDatabase, facts: Facts, postgres: Postgres) -> str:
    """Return the command that ends a problem."""
    user, name = identifier(facts.user_name), identifier(facts.name)
    if isinstance(found, ReadOnly) and facts.is_standby:
        return postgres.sql("SELECT pg_promote()")
    if isinstance(found, ReadOnly):
        resets = {
            "database": [f"ALTER DATABASE {name} {RESET}"],
            "user": [f"ALTER ROLE {user} {RESET}"],
            "database user": [f"ALTER ROLE {user} IN DATABASE {name} {RESET}"],
        }
        configuration = [f"ALTER SYSTEM {RESET}", RELOAD]
        writable = "SET default_transaction_read_only = off"  # for psql itself
        return postgres.sql(writable, *resets.get(facts.source, configuration))
    if isinstance(found, CommitsAreLost):
        return postgres.sql(f"ALTER ROLE {user} SET synchronous_commit = 'on'")
    if isinstance(found, NoFsync):
        return postgres.sql("ALTER SYSTEM SET fsync = on", RELOAD)
    return postgres.sql("SHOW synchronous_standby_names", "TABLE pg_stat_replication")
