"""Warn at the start of what makes the server not ready."""

import logging

from flask import Flask
from sqlalchemy.exc import DBAPIError

from chirpy.database.migration_state import UnusableDatabase
from chirpy.database.readiness import require_usable
from chirpy.web import logs

LIMIT = 5  # seconds
LOG = logging.getLogger(__name__)


def warn_unless_usable(app: Flask) -> None:
    """Log why the database cannot be used. An operator can change that while the server runs."""
    with app.app_context():
        try:
            require_usable(LIMIT)
        except UnusableDatabase as error:
            LOG.warning("Not ready: %s", error.problem, extra=logs.facts(next=error.next_step))
        except DBAPIError as error:
            LOG.warning("Not ready: %s", error.orig, extra=logs.facts())
