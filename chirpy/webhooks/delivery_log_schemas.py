"""The query string and the response of the delivery log."""

from typing import Any

from marshmallow import fields
from marshmallow.validate import OneOf

from chirpy.web.fields import RequestSchema, ResponseSchema, TextField
from chirpy.web.paging import CursorField, LimitField
from chirpy.web.timestamps import TimestampField
from chirpy.web.uuids import UUIDField
from chirpy.webhooks.event_time import TimeField
from chirpy.webhooks.models import MAX_TYPE_LENGTH, OUTCOMES, WebhookEvent


class LoggedEventSchema(ResponseSchema):
    """An event in the delivery log, with its body as it was received."""

    event_id = fields.Str()
    type = fields.Str()
    user_id = UUIDField(allow_none=True)
    outcome = fields.Str()
    deliveries = fields.Int()
    first_delivered_at = TimestampField()
    last_delivered_at = TimestampField()
    body = fields.Str(allow_none=True)  # None after `flask webhooks prune`


class LogQuerySchema(RequestSchema):
    """`?outcome=…&type=…&user_id=…&since=…&limit=…&after=…`, all optional."""

    outcome = fields.Str(validate=OneOf(OUTCOMES, error=f"must be one of {', '.join(OUTCOMES)}"))
    event_type = TextField(max_length=MAX_TYPE_LENGTH, required=False, data_key="type")
    user_id = UUIDField()
    since = TimeField()
    limit = LimitField()
    after = CursorField()


logged_event_schema = LoggedEventSchema()
log_query_schema = LogQuerySchema()


def dump_event(event: WebhookEvent) -> dict[str, Any]:
    """Return the event as the delivery log shows it."""
    entry: dict[str, Any] = logged_event_schema.dump(event)
    return entry
