"""Report whether the process is running and whether the database answers."""

from flask import Blueprint, Response
from flask.typing import ResponseReturnValue
from sqlalchemy import text

from chirpy.database.engine import db

PING = text("SELECT 1")

blueprint = Blueprint("health", __name__, url_prefix="/api")


@blueprint.get("/healthz")
def report_health() -> ResponseReturnValue:
    """Report that this process is running. 200 `OK`."""
    return Response("OK", mimetype="text/plain")


@blueprint.get("/readyz")
def report_readiness() -> ResponseReturnValue:
    """Report that the database answers too. 200 `OK`; 503."""
    db.session.execute(PING)
    return Response("OK", mimetype="text/plain")
