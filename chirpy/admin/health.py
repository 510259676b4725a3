"""Report whether the process is running and whether the database answers."""

from flask import Blueprint, Response
from flask.typing import ResponseReturnValue

from chirpy.database.engine import db
from chirpy.database.migration_state import UnusableTables, require_migrated
from chirpy.web.refused import Refused

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
    """Report that the database answers and is migrated too. 200 `OK`; 503."""
    try:
        require_migrated(db.session.connection())
    except UnusableTables as error:
        raise NotReady(error.problem, hint=f"Next: {error.next_step}") from error
    return Response("OK", mimetype="text/plain")
