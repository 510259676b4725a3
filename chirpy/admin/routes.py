"""Health, readiness, metrics, visits, reset."""

from flask import Blueprint, Response, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import text

from chirpy.admin import visits
from chirpy.database.engine import db
from chirpy.web.development import require_development

PLAIN_TEXT = "text/plain; charset=utf-8"
PING = text("SELECT 1")
# Rows that refer to a user are removed with the users.
RESET = text("TRUNCATE users, webhook_events CASCADE")

blueprint = Blueprint("admin", __name__, template_folder="pages")


@blueprint.get("/api/healthz")
def health() -> ResponseReturnValue:
    """Show that this process answers. 200 `OK`."""
    return Response("OK", content_type=PLAIN_TEXT)


@blueprint.get("/api/readyz")
def readiness() -> ResponseReturnValue:
    """Show that the database answers too. 200 `OK`; 503."""
    db.session.execute(PING)
    return Response("OK", content_type=PLAIN_TEXT)


@blueprint.before_app_request
def count_visit() -> None:
    """Count every request below /app/, also for a page that does not exist."""
    if request.path.startswith("/app/"):
        visits.count_visit()


@blueprint.get("/admin/metrics")
def metrics() -> ResponseReturnValue:
    """Show how often the website was visited. 200 HTML."""
    page = render_template("metrics.html", visits=visits.total())
    return Response(page, mimetype="text/html")


@blueprint.post("/admin/reset")
def reset() -> ResponseReturnValue:
    """Delete all users and all that refers to them, webhook events and visits. 200; 403 in prod."""
    require_development()
    db.session.execute(RESET)
    visits.restart()
    db.session.commit()
    return Response(
        "Users, chirps, webhook events and visits are deleted\n", content_type=PLAIN_TEXT
    )
