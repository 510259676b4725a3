"""The endpoint for Polka's webhooks."""

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from chirpy.settings import current_settings
from chirpy.web.strict_json import parse
from chirpy.webhooks import credentials
from chirpy.webhooks.receiving import receive_autocommit
from chirpy.webhooks.schemas import read_event

blueprint = Blueprint("webhooks", __name__)


@blueprint.post("/api/polka/webhooks")
def receive_event() -> ResponseReturnValue:
    """Receive one delivery. A duplicate has no effect and the same status.

    204 with `Webhook-Outcome`; 400, 401, 404 unknown user, 409 id reused, 413, 503.
    """
    body = credentials.read_verified_body(request, current_settings())
    event = read_event(parse(body), request.headers.get("webhook-id"))
    outcome = receive_autocommit(event, body)
    return "", 204, {"Webhook-Outcome": outcome}
