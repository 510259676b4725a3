"""Health, readiness, metrics, reset."""

from flask import Blueprint, Response, render_template
from flask.typing import ResponseReturnValue
from sqlalchemy import text

from chirpy import development, visits
from chirpy.database import db

PLAIN_TEXT = "text/plain; charset=utf-8"
ANYTHING = text("SELECT 1")
# Whatever refers to a user goes with the users.
FORGET = text("TRUNCATE users, webhook_events CASCADE")

blueprint = Blueprint("admin", __name__, template_folder="pages")


@blueprint.get("/api/healthz")
def health() -> ResponseReturnValue:
    """Whether this process answers. 200 `OK`."""
    return Response("OK", content_type=PLAIN_TEXT)


@blueprint.get("/api/readyz")
def readiness() -> ResponseReturnValue:
    """Whether the database answers too. 200 `OK`; 503."""
    db.session.execute(ANYTHING)
    return Response("OK", content_type=PLAIN_TEXT)


@blueprint.get("/admin/metrics")
def metrics() -> ResponseReturnValue:
    """How often the website was visited. 200 HTML."""
    page = render_template("metrics.html", visits=visits.total())
    return Response(page, mimetype="text/html")


@blueprint.post("/admin/reset")
def reset() -> ResponseReturnValue:
    """Forget all users, what hangs on them, the webhook inbox and the visits. 200; 403 in prod."""
    development.require()
    db.session.execute(FORGET)
    visits.restart()
    db.session.commit()
    return Response("Users, chirps, webhook events and visits are gone\n", content_type=PLAIN_TEXT)
