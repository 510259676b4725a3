"""How the delivery log is asked, and what it shows."""

from typing import Any, cast

from marshmallow import Schema, fields
from marshmallow.validate import OneOf

from chirpy.database import Record
from chirpy.fields import Id, Instant, Shape, Text
from chirpy.paging import After, Limit
from chirpy.webhooks.models import LONGEST_TYPE, OUTCOMES
from chirpy.webhooks.schemas import OccurredAt


class LoggedSchema(Schema):
    """An event as the delivery log shows it, its body as it came."""

    event_id = fields.Str()
    type = fields.Str()
    user_id = Id()
    outcome = fields.Str()
    deliveries = fields.Int()
    first_delivered_at = Instant()
    last_delivered_at = Instant()
    body = fields.Str()


class FilterSchema(Shape):
    """`?outcome=…&type=…&user_id=…&since=…&limit=…&after=…`, each of which may be left out."""

    outcome = fields.Str(
        load_default=None, validate=OneOf(OUTCOMES, error=f"must be in {OUTCOMES}")
    )
    event_type = Text(longest=LONGEST_TYPE, required=False, data_key="type", load_default=None)
    user_id = Id(load_default=None)
    since = OccurredAt(load_default=None)
    limit = Limit()
    after = After(load_default=None)


logged_schema = LoggedSchema()
log_filter = FilterSchema()


def logged(event: Record) -> dict[str, Any]:
    """A row of `webhook_events` as the log shows it."""
    return cast("dict[str, Any]", logged_schema.dump(event))
