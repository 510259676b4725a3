"""Examine the tables of a database: whose they are, their migrations, the rights to use them."""

from collections.abc import Iterator

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from chirpy.database.base import Base
from chirpy.database.migration_state import (
    VERSION_TABLE,
    OtherApplication,
    applied_version,
    latest_version,
)
from chirpy.server.doctor.facts import Facts
from chirpy.server.doctor.findings import Finding, problem
from chirpy.server.doctor.postgres_commands import Postgres, identifier
from chirpy.server.doctor.systems import flask

NAMES = [VERSION_TABLE, *Base.metadata.tables]
FORBIDDEN = text("""
    SELECT relname::text FROM pg_class
    WHERE pg_table_is_visible(oid) AND relkind = 'r' AND relname = ANY(:names)
    AND NOT (has_table_privilege(oid, 'SELECT') AND has_table_privilege(oid, 'INSERT')
        AND has_table_privilege(oid, 'UPDATE') AND has_table_privilege(oid, 'DELETE'))
    ORDER BY 1
""")
GRANTS = (
    "GRANT USAGE, CREATE ON SCHEMA {schema} TO {user}",
    "GRANT ALL ON ALL TABLES IN SCHEMA {schema} TO {user}",
    "GRANT ALL ON ALL SEQUENCES IN SCHEMA {schema} TO {user}",
)


def examine_tables(connection: Connection, facts: Facts, postgres: Postgres) -> Iterator[Finding]:
    """Find whose tables these are, which migrations are applied, and what Chirpy's user may do."""
    names = {"schema": identifier(facts.schema), "user": identifier(facts.user_name)}
    grant = postgres.sql(*[statement.format(**names) for statement in GRANTS])
    forbidden = connection.scalars(FORBIDDEN, {"names": NAMES}).all()
    if forbidden:
        tables = ", ".join(forbidden)
        yield problem("rights", f"{facts.user_name} may not read and write {tables}", grant)
    elif not facts.may_create:
        yield problem("rights", f"{facts.user_name} may not create tables", grant)
    else:
        yield Finding("rights", f"{facts.user_name} may create and use all tables")
    try:
        yield examine_version(applied_version(connection))
    except OtherApplication as error:
        yield problem("migrations", error.problem, error.next_step, *postgres.create_another())
    except DBAPIError as error:  # no right to read the version
        yield problem("migrations", str(error.orig).strip(), grant)


def examine_version(version: str | None) -> Finding:
    """Compare the latest migration that is applied with those of this Chirpy."""
    latest = latest_version()
    if version and version > latest:
        return Finding("migrations", f"{version}, newer than {latest} of this Chirpy")
    if version == latest:
        return Finding("migrations", f"all are applied, the latest is {version}")
    text = f"{version} is applied, {latest} is the latest" if version else "none is applied"
    return problem("migrations", text, flask("db", "upgrade"), "make run   (does it too)")
