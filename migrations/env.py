"""How Alembic meets the database: through the application's own engine, one upgrade at a time."""

import logging
from typing import Any

from alembic import context
from alembic.runtime.migration import MigrationInfo
from alembic.util import CommandError
from flask import current_app
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from chirpy.database import explain
from chirpy.postgres import PrivatePostgresError

# Two processes that start at once must not both create the tables; the number means nothing.
ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(4843190)")
# The application's waits are short; building an index on many rows may take its time.
PATIENCE = text("SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = '30s'")

db = current_app.extensions["migrate"].db


def announce(step: MigrationInfo, **_: Any) -> None:
    """Tell of each migration as it is applied."""
    revision = step.up_revision
    verb = "Applied" if step.is_upgrade else "Undid"
    if revision is not None:
        logging.getLogger("chirpy.migrations").info(
            "%s %s %s", verb, revision.revision, revision.doc
        )


def migrate(connection: Connection) -> None:
    """All steps in one transaction: either the schema is new, or nothing happened."""
    context.configure(connection, target_metadata=db.metadata, on_version_apply=announce)
    with context.begin_transaction():
        connection.execute(PATIENCE)
        connection.execute(ONE_AT_A_TIME)
        context.run_migrations()


try:
    with db.engine.connect() as connection:
        migrate(connection)
except CommandError as error:  # a revision that the versions here don't know
    raise CommandError(f"{error}.\nNext: run the version of Chirpy that made it") from None
except PrivatePostgresError as error:
    raise CommandError(str(error)) from None
except DBAPIError as error:
    raise CommandError(explain(error)) from None
