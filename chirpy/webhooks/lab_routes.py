"""What the webhook lab of the website needs to act as Polka, in development."""

from time import time

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from chirpy.settings import current_settings
from chirpy.web.development import require_development
from chirpy.web.fields import RequestSchema, TextField
from chirpy.web.request_body import read_json
from chirpy.web.security_headers import forbid_storing
from chirpy.webhooks.models import MAX_EVENT_ID_LENGTH
from chirpy.webhooks.signature import signed_headers

blueprint = Blueprint("lab", __name__)
blueprint.after_request(forbid_storing)


class DeliverySchema(RequestSchema):
    """`{id, body}`: an event's id, and the body of a delivery as text."""

    id = TextField(max_length=MAX_EVENT_ID_LENGTH)
    body = TextField()


delivery_schema = DeliverySchema()


@blueprint.post("/admin/webhooks/credentials")
def show_credentials() -> ResponseReturnValue:
    """Show the headers with which Polka would deliver this body now. 200; 400; 403 in prod."""
    require_development(request)
    delivery = delivery_schema.load(read_json(request))
    event_id, body = delivery["id"], delivery["body"].encode()
    settings = current_settings()
    headers = {"Authorization": f"ApiKey {settings.polka_key}"} if settings.polka_key else {}
    for key in settings.polka_webhook_secrets[:1]:
        headers |= signed_headers(event_id=event_id, body=body, key=key, now=time())
    return headers
