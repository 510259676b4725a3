"""Exceptions that no view expects: the log has their cause, the client learns nothing of it."""

import logging
from traceback import format_tb

from sqlalchemy.exc import DBAPIError

from chirpy.web import logs
from chirpy.web.refused import Refused

LOG = logging.getLogger(__name__)


class DatabaseUnavailable(Refused):
    """The database is down, busy or shutting down; or the result of a COMMIT is unknown."""

    status = 503
    error = "The database is not available right now"
    hint = "Send the same request again"
    header = ("Retry-After", "1")  # second; by then the database is usually back, or a lock free


class DatabaseNotMigrated(DatabaseUnavailable):
    """The database lacks a table, a column or a function."""

    error = "The database is not migrated"
    hint = "Run `flask db upgrade`, then send the same request again"


class InternalError(Refused):
    """A bug."""

    status = 500
    error = "Internal server error"


def log_unavailable(error: Exception, next_step: str | None) -> None:
    """Log why the database is unavailable, and what an operator can do, if that is known."""
    facts = {"cause": cause_of(error)} | ({"next": next_step} if next_step else {})
    LOG.error("Database unavailable", extra=logs.facts(**facts))


def log_bug(error: Exception) -> Refused:
    """Log an unexpected exception, and return InternalError (500)."""
    if isinstance(error, DBAPIError):  # its text can hold personal data
        traceback = "".join(format_tb(error.__traceback__))
        facts = logs.facts(cause=cause_of(error), traceback=traceback)
        LOG.error("Unhandled database error", extra=facts)
    else:
        LOG.error("Unhandled exception", exc_info=error, extra=logs.facts())
    return InternalError()


def cause_of(error: Exception) -> str:
    """Return the cause, without the statement and its values.

    What Postgres says, or else all lines of libpq: one or more for each host of DB_URL.
    """
    cause = getattr(error, "orig", None) or error
    primary: str | None = getattr(getattr(cause, "diag", None), "message_primary", None)
    return primary or " ".join(str(cause).split())
