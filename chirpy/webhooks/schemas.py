"""The event in the body of a delivery."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from marshmallow import ValidationError, fields

from chirpy.web.fields import RequestSchema, TextField
from chirpy.web.uuids import UUIDField
from chirpy.webhooks.event_time import EventTimeField
from chirpy.webhooks.models import MAX_EVENT_ID_LENGTH, MAX_TYPE_LENGTH

# The types that have an effect, so their data must name a user. The effect is in receive_event.sql.
USER_EVENT_TYPES = frozenset({"user.upgraded", "user.downgraded"})
EVENT_ID_HEADER = re.compile(r"[!-\-/-~]{1,255}")  # no dot, because dots separate signed content


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """An event of the provider.

    `data` is any JSON value. `event_id` and `occurred_at` are None if the provider sent none.
    `user_id` is None for a type that has no effect.
    """

    type: str
    data: Any
    event_id: str | None
    occurred_at: datetime | None
    user_id: UUID | None


class UserDataSchema(RequestSchema):
    """`data` of the types that have an effect."""

    user_id = UUIDField(required=True)


class EventSchema(RequestSchema):
    """`{event, data}`, and optionally `id` and `timestamp`."""

    event = TextField(max_length=MAX_TYPE_LENGTH)
    data = fields.Raw(load_default=None, allow_none=True)
    id = TextField(max_length=MAX_EVENT_ID_LENGTH, required=False, load_default=None)
    timestamp = EventTimeField(load_default=None)


user_data_schema = UserDataSchema()
event_schema = EventSchema()


def read_event(body: Any, header_id: str | None) -> Event:
    """Return the event in a body. Its id can be in the header `webhook-id` instead.

    Raise ValidationError.
    """
    event = event_schema.load(body)
    return Event(
        type=event["event"],
        data=event["data"],
        event_id=choose_event_id(event["id"], header_id),
        occurred_at=event["timestamp"],
        user_id=read_user_id(event["data"]) if event["event"] in USER_EVENT_TYPES else None,
    )


def read_user_id(data: Any) -> UUID:
    """Return the user's id in the event's data. Raise ValidationError."""
    try:
        user_id: UUID = user_data_schema.load({} if data is None else data)["user_id"]
    except ValidationError as error:
        hint = "In this event, `data` must have the `user_id` of a user"
        raise ValidationError({"data": error.messages}, hint=hint) from None
    return user_id


def choose_event_id(body_id: str | None, header_id: str | None) -> str | None:
    """Return the id in the body or in the header. Raise ValidationError if they differ."""
    if header_id is None or header_id == body_id:
        return body_id
    if body_id is not None:
        raise ValidationError("differs from the header webhook-id", "id")
    if not EVENT_ID_HEADER.fullmatch(header_id):
        raise ValidationError("must be 1 to 255 printable ASCII characters, no dot", "webhook-id")
    return header_id
