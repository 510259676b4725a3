"""Report whether the process is running and whether the database can be used."""

from flask import Blueprint, Response
from flask.typing import ResponseReturnValue

from chirpy.database.migration_state import UnusableDatabase
from chirpy.database.readiness import require_usable
from chirpy.web.refused import Refused

LIMIT = 1.5  # seconds, so that the answer comes within 2

blueprint = Blueprint("health", __name__, url_prefix="/api")


class NotReady(Refused):
    """The database answers, but Chirpy cannot use its tables."""

    status = 503
    header = ("Retry-After", "5")  # seconds; an operator must act first


@blueprint.get("/healthz")
def report_health() -> ResponseReturnValue:
    """Report that this process is running. 200 `OK`."""
    return Response("OK", mimetype="text/plain")


@blueprint.get("/readyz")
def report_readiness() -> ResponseReturnValue:
    """Report that the database can be used too. 200 `OK`; 503.

    It answers, is migrated, takes writes, and its commits are durable.
    """
    try:
        require_usable(LIMIT)
    except UnusableDatabase as error:
        raise NotReady(error.problem, hint=f"Next: {error.next_step}") from error
    return Response("OK", mimetype="text/plain")
