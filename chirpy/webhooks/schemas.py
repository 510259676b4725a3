"""The event in the body of a delivery."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from marshmallow import ValidationError, fields

from chirpy.web.fields import RequestSchema, TextField
from chirpy.web.uuids import UUIDField
from chirpy.webhooks.event_time import EventTimeField, nanoseconds
from chirpy.webhooks.models import MAX_EVENT_ID_LENGTH, MAX_TYPE_LENGTH

# The types that have an effect, so their data must name a user. The effect is in receive_event.sql.
USER_EVENT_TYPES = frozenset({"user.upgraded", "user.downgraded"})
# The keys of events without an id: those of `meaning`, and those that were made before.
MADE_KEY = re.compile(r"(body|data):[0-9a-f]{64}")
EVENT_ID_HEADER = re.compile(r"[!-\-/-~]{1,255}")  # no dot, because dots separate signed content


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """An event of the provider.

    `data` is any JSON value. `event_id` and `occurred_at` are None if the provider sent none.
    `user_id` is None for a type that has no effect. `content` is the whole body, in which the
    members above are as here.
    """

    type: str
    data: Any
    event_id: str | None
    occurred_at: datetime | None
    user_id: UUID | None
    content: dict[str, Any]


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
    user_id = read_user_id(event["data"]) if event["event"] in USER_EVENT_TYPES else None
    if user_id is not None:
        event["data"] = event["data"] | {"user_id": str(user_id)}  # in lower case
    exact_time = f"{event['timestamp']}{nanoseconds(str(body.get('timestamp')))}"
    return Event(
        type=event["event"],
        data=event["data"],
        event_id=choose_event_id(event["id"], header_id),
        occurred_at=event["timestamp"],
        user_id=user_id,
        content=body | event | {"timestamp": exact_time},
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
        return checked_id(body_id, "id")
    if body_id is not None:
        raise ValidationError("differs from the header webhook-id", "id")
    if not EVENT_ID_HEADER.fullmatch(header_id):
        raise ValidationError("must be 1 to 255 printable ASCII characters, no dot", "webhook-id")
    return checked_id(header_id, "webhook-id")


def checked_id(event_id: str | None, name: str) -> str | None:
    """Return an id. Raise ValidationError if it is a key that Chirpy makes."""
    if event_id is not None and MADE_KEY.fullmatch(event_id):
        raise ValidationError(
            "has the form of a key that Chirpy makes for events without an id", name
        )
    return event_id
