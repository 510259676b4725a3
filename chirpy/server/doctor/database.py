"""Examine a database that answers."""

import time
from collections.abc import Iterator

from sqlalchemy import Connection

from chirpy.database.errors import NEXT_STEPS
from chirpy.database.explanations import find_step
from chirpy.database.startup import OLDEST
from chirpy.server.doctor.commits import examine_commits
from chirpy.server.doctor.facts import FACTS, Facts
from chirpy.server.doctor.findings import Finding, problem
from chirpy.server.doctor.machine import SYNCHRONIZE
from chirpy.server.doctor.postgres_commands import Postgres
from chirpy.server.doctor.systems import on_this_system
from chirpy.server.doctor.tables import examine_tables
from chirpy.settings import Settings

CLOCKS_DIFFER = 30  # seconds; a delivery may be signed, and an event dated, 5 minutes ahead


def examine_database(connection: Connection, settings: Settings) -> Iterator[Finding]:
    """Examine all that a connection shows."""
    postgres = Postgres(settings.db_url)
    facts = connection.execute(FACTS).one()
    yield Finding("authentication", f"as {facts.user_name}")
    yield from examine_server(facts)
    yield from examine_tables(connection, facts, postgres)
    yield from examine_commits(connection, facts, postgres, settings.platform)
    if facts.encoding == "UTF8":
        yield Finding("database", f"{facts.name} exists, in UTF8")
    else:
        text = f"the encoding of {facts.name} is {facts.encoding}, not UTF8"
        yield problem("database", text, find_step("encoding is"), *postgres.create_another())
    text = f"Chirpy opens up to {settings.db_connections}, Postgres allows it {facts.connections}"
    if settings.db_connections > facts.connections:
        yield problem("connections", text, NEXT_STEPS["53300"])
    else:
        yield Finding("connections", text)


def examine_server(facts: Facts) -> Iterator[Finding]:
    """Compare the version of Postgres, and its clock, with what Chirpy needs."""
    version = f"Postgres {facts.version}"
    if facts.major < OLDEST:
        step = f"install Postgres {OLDEST} or newer, or use that of docker compose up -d --wait"
        yield problem("version", f"{version} is older than {OLDEST}", step)
    else:
        yield Finding("version", version)
    ahead = facts.now - time.time()
    if abs(ahead) > CLOCKS_DIFFER:
        text = f"that of Postgres is {abs(ahead):.0f} s {'ahead' if ahead > 0 else 'behind'}"
        step = f"on the machine whose clock is wrong: {on_this_system(*SYNCHRONIZE)}"
        yield problem("clocks", text, step)
    else:
        yield Finding("clocks", "this machine and Postgres agree")
