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


def log_unexpected(error: Exception, *, transient: bool) -> Refused:
    """Log an exception, and return DatabaseUnavailable (503) or InternalError (500)."""
    if transient:
        LOG.error("Database unavailable", extra=logs.facts(cause=cause_of(error)))
        return DatabaseUnavailable()
    if isinstance(error, DBAPIError):  # its text can hold personal data
        traceback = "".join(format_tb(error.__traceback__))
        facts = logs.facts(cause=cause_of(error), traceback=traceback)
        LOG.error("Unhandled database error", extra=facts)
    else:
        LOG.error("Unhandled exception", exc_info=error, extra=logs.facts())
    return InternalError()


def log_unmigrated(error: Exception) -> Refused:
    """Log the command that migrates the database, and return DatabaseNotMigrated (503)."""
    message = "The database is not migrated. Next: flask db upgrade"
    LOG.error(message, extra=logs.facts(cause=cause_of(error)))
    return DatabaseNotMigrated()


def cause_of(error: Exception) -> str:
    """Return the first line of the cause, without the statement and its values."""
    cause = getattr(error, "orig", None) or error
    message = getattr(getattr(cause, "diag", None), "message_primary", None) or str(cause)
    return message.partition("\n")[0]
