"""Where Polka delivers its events."""

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from chirpy.database import db
from chirpy.reading import parse, read_body
from chirpy.settings import current_settings
from chirpy.webhooks import credentials, inbox
from chirpy.webhooks.schemas import read_event

blueprint = Blueprint("webhooks", __name__, url_prefix="/api/polka/webhooks")


@blueprint.post("")
def receive_event() -> ResponseReturnValue:
    """Take in one event; a repeat is answered like the first.

    204 with `Webhook-Outcome`; 400, 401, 404 unknown user, 409 an id used twice, 413, 503.
    """
    body = read_body(request)
    credentials.require(request, body, current_settings())
    event = read_event(parse(body), request.headers.get("webhook-id"))
    outcome = inbox.receive(event, body)
    db.session.commit()
    return "", 204, {"Webhook-Outcome": outcome}
