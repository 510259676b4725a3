"""Run migrations through the application's engine. Alembic executes this file for each command."""

import logging
from math import inf
from typing import Any

from alembic import context
from alembic.runtime.migration import MigrationInfo
from alembic.script.revision import ResolutionError
from alembic.util import CommandError
from click import ClickException
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from chirpy.database.deadlines import within
from chirpy.database.engine import db
from chirpy.database.explanations import explain
from chirpy.database.migration_state import OtherApplication, applied_version
from chirpy.database.startup import connect_at_start

LOG = logging.getLogger("chirpy.migrations")
# Of two processes that start concurrently, the second waits. The number has no meaning.
LOCK = text("SELECT pg_advisory_xact_lock(4843190)")
# The limits of requests are too short for building an index on many rows.
TIMEOUTS = text("SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = '30s'")
ENCODING = text("SHOW server_encoding")


class WrongEncoding(Exception):
    """The database cannot store every character, or counts bytes instead of characters."""


def migrate(connection: Connection) -> None:
    """Run all steps in one transaction: if one fails, the database stays as it was."""
    context.configure(connection, target_metadata=db.metadata, on_version_apply=log_step)
    with context.begin_transaction():
        connection.execute(TIMEOUTS)
        connection.execute(LOCK)
        require_utf8(connection)
        applied_version(connection)  # or OtherApplication
        context.run_migrations()


def require_utf8(connection: Connection) -> None:
    """Raise WrongEncoding before any table exists, rather than fail at the first emoji."""
    encoding = connection.scalar(ENCODING)
    if encoding != "UTF8":
        raise WrongEncoding(f"its encoding is {encoding}, not UTF8")


def log_step(step: MigrationInfo, **_: Any) -> None:
    """Log each migration that was applied or undone."""
    if revision := step.up_revision:
        verb = "Applied" if step.is_upgrade else "Undid"
        LOG.info("%s migration %s: %s", verb, revision.revision, revision.doc)


try:
    with within(inf), connect_at_start() as connection:
        migrate(connection)
except CommandError as error:
    if not isinstance(error.__cause__, ResolutionError):
        raise
    step = "correct the number, or run the version of Chirpy that made this database"
    raise ClickException(f"{error}.\nNext: {step}") from None
except (DBAPIError, OtherApplication, WrongEncoding) as error:
    raise ClickException(explain(error)) from None
