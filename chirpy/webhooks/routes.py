"""The endpoint for Polka's webhooks."""

import logging

from flask import Blueprint, Response, g, request
from flask.typing import ResponseReturnValue

from chirpy.settings import current_settings
from chirpy.web import logs
from chirpy.web.request_body import read_body
from chirpy.web.strict_json import parse
from chirpy.webhooks import credentials
from chirpy.webhooks.receiving import receive_autocommit
from chirpy.webhooks.schemas import read_event

LOG = logging.getLogger(__name__)

blueprint = Blueprint("webhooks", __name__)


@blueprint.post("/api/polka/webhooks")
def receive_event() -> ResponseReturnValue:
    """Receive one delivery. A duplicate has no effect and the same status.

    204 with `Webhook-Outcome`; 400, 401, 404 unknown user, 409 id reused, 413, 503.
    """
    body = read_body(request)
    credentials.verify(request, body, current_settings())
    event = read_event(parse(body), request.headers.get("webhook-id"))
    outcome = receive_autocommit(event, body)
    return "", 204, {"Webhook-Outcome": outcome}


@blueprint.after_request
def log_refusal(response: Response) -> Response:
    """Log each refused delivery with its reason."""
    if response.status_code >= 400:
        facts = logs.facts(status=response.status_code, reason=g.get("refusal_reason"))
        LOG.warning("Delivery refused", extra=facts)
    return response
