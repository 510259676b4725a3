"""The delivery log over HTTP, in development."""

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from chirpy.web.development import require_development
from chirpy.web.paging import link_headers
from chirpy.web.security_headers import forbid_storing
from chirpy.webhooks import delivery_log
from chirpy.webhooks.delivery_log_schemas import dump_event, log_query_schema

blueprint = Blueprint("delivery_log", __name__)
blueprint.after_request(forbid_storing)


@blueprint.get("/admin/webhooks")
def list_events() -> ResponseReturnValue:
    """List the delivery log, newest first. 200, `Link` to the next page; 400; 403 in prod."""
    require_development(request)
    events, after = delivery_log.list_page(**log_query_schema.load(request.args))
    return [dump_event(event) for event in events], 200, link_headers(request, after)
