"""How Alembic meets the database: through the application's own engine, one upgrade at a time."""

import logging
from typing import Any

from alembic import context
from alembic.runtime.migration import MigrationInfo
from alembic.script.revision import ResolutionError
from alembic.util import CommandError
from click import ClickException
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from chirpy.database.engine import db
from chirpy.database.explanations import explain

# Two processes that start at once must not both create the tables; the number means nothing.
ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(4843190)")
# The application's waits are short; building an index on many rows may take its time.
PATIENCE = text("SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = '30s'")
ENCODING = text("SHOW server_encoding")


class WrongEncoding(Exception):
    """The database can't hold every character, or counts bytes for characters."""


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
        require_utf8(connection)
        context.run_migrations()


def require_utf8(connection: Connection) -> None:
    """Raise WrongEncoding now, rather than fail at somebody's first emoji."""
    encoding = connection.scalar(ENCODING)
    if encoding != "UTF8":
        raise WrongEncoding(f"its encoding is {encoding}, not UTF8")


try:
    with db.engine.connect() as connection:
        migrate(connection)
except CommandError as error:
    if not isinstance(error.__cause__, ResolutionError):
        raise
    step = "correct the number, or run the version of Chirpy that made this database"
    raise ClickException(f"{error}.\nNext: {step}") from None
except (DBAPIError, WrongEncoding) as error:
    raise ClickException(explain(error)) from None
