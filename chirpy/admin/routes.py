"""Show metrics, count visits, reset the database."""

from flask import Blueprint, Response, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import text

from chirpy.admin import visits
from chirpy.database.engine import db
from chirpy.web.development import require_development

# Rows that refer to a user are removed with the users.
RESET = text("TRUNCATE users, webhook_events, attempt_counters CASCADE")

blueprint = Blueprint("admin", __name__, template_folder="pages")


@blueprint.before_app_request
def count_requests_below_app() -> None:
    """Count every request below /app/ as a visit, also if the page does not exist."""
    if request.path.startswith("/app/"):
        visits.count_visit()


@blueprint.get("/admin/metrics")
def metrics() -> ResponseReturnValue:
    """Show the number of visits. 200 HTML."""
    page = render_template("metrics.html", visits=visits.total())
    return Response(page, mimetype="text/html")


@blueprint.post("/admin/reset")
def reset() -> ResponseReturnValue:
    """Delete all users, chirps, webhook events, visits and counters of limits. 200; 403."""
    require_development(request)
    db.session.execute(RESET)
    visits.restart()
    db.session.commit()
    done = "Deleted all users, chirps, webhook events and visits\n"
    return Response(done, mimetype="text/plain")
