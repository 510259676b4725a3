"""Where Polka delivers its events."""

import logging
from http import HTTPStatus

from flask import Blueprint, Response, g, request
from flask.typing import ResponseReturnValue

from chirpy import development, logs
from chirpy.paging import links
from chirpy.reading import parse, read_body
from chirpy.settings import current_settings
from chirpy.webhooks import credentials, inbox, log
from chirpy.webhooks.log_schemas import log_filter, logged
from chirpy.webhooks.schemas import read_event

LOG = logging.getLogger(__name__)

blueprint = Blueprint("webhooks", __name__)


@blueprint.post("/api/polka/webhooks")
def receive_event() -> ResponseReturnValue:
    """Take in one event; a repeat is answered like the first.

    204 with `Webhook-Outcome`; 400, 401, 404 unknown user, 409 an id used twice, 413, 503.
    """
    body = read_body(request)
    credentials.require(request, body, current_settings())
    event = read_event(parse(body), request.headers.get("webhook-id"))
    outcome = inbox.receive(event, body)  # is committed when it returns
    return "", 204, {"Webhook-Outcome": outcome}


@blueprint.after_request
def log_refusal(response: Response) -> Response:
    """Tell the log of each delivery that was not taken, and why."""
    if response.status_code >= HTTPStatus.BAD_REQUEST and request.method == "POST":
        told = logs.facts(status=response.status_code, reason=g.get("refused_because"))
        LOG.warning("Delivery refused", extra=told)
    return response


@blueprint.get("/admin/webhooks")
def list_events() -> ResponseReturnValue:
    """The delivery log, newest first; `Link` leads to the next page. 200; 400; 403 in prod."""
    development.require()
    events, after = log.page(**log_filter.load(request.args))
    return [logged(event) for event in events], 200, links(request, after)
