"""The event in the body of a delivery."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from marshmallow import ValidationError, fields

from chirpy.web.fields import RequestSchema, TextField
from chirpy.web.uuids import UUIDField
from chirpy.webhooks.models import MAX_EVENT_ID_LENGTH, MAX_TYPE_LENGTH

EFFECTS = {"user.upgraded": True, "user.downgraded": False}  # type of event: Chirpy Red after it
CLOCK_SKEW = timedelta(minutes=5)  # what happened later than this from now can't have happened

# As in RFC 3339, but seconds may be left out, a comma may part them from their fraction (of which
# microseconds count) and the zone needs no colon. fromisoformat alone also takes week dates, any
# character for the T, and whatever follows a NUL.
MOMENT = re.compile(
    r"[0-9]{4}(-[0-9]{2}){2}[Tt ][0-9]{2}(:[0-9]{2}){1,2}([.,][0-9]{1,9})?"
    r"([Zz]|[+-][0-9]{2}:?[0-9]{2})?"
)
EVENT_ID_HEADER = re.compile(r"[!-\-/-~]{1,255}")  # no dot: dots part what is signed


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What the provider says. `event_id` and `occurred_at` only if it said so.

    `user_id` only for the types we act on; `data` is any JSON value.
    """

    type: str
    data: Any
    event_id: str | None
    occurred_at: datetime | None
    user_id: UUID | None


class EventTimeField(fields.Field[datetime]):
    """ISO 8601 with a zone, and not in the future."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> datetime:
        if not isinstance(value, str):
            raise ValidationError("must be a string such as 2026-01-31T12:00:00Z")
        if not MOMENT.fullmatch(value):
            raise ValidationError("is not an ISO 8601 time such as 2026-01-31T12:00:00Z")
        try:
            moment = datetime.fromisoformat(value.upper())
            if moment.tzinfo is None:
                raise ValidationError("must name its zone, as in 2026-01-31T12:00:00Z")
            moment = moment.astimezone(UTC)
        except (ValueError, OverflowError):
            raise ValidationError("is not an ISO 8601 time such as 2026-01-31T12:00:00Z") from None
        if moment > datetime.now(UTC) + CLOCK_SKEW:
            raise ValidationError("lies in the future")
        return moment


class AboutUserSchema(RequestSchema):
    """`data` of the types we act on."""

    user_id = UUIDField(required=True)


class EventSchema(RequestSchema):
    """`{event, data}`, and from better providers `id` and `timestamp`."""

    event = TextField(max_length=MAX_TYPE_LENGTH)
    data = fields.Raw(load_default=None, allow_none=True)
    id = TextField(max_length=MAX_EVENT_ID_LENGTH, required=False, load_default=None)
    timestamp = EventTimeField(load_default=None)


about_user_schema = AboutUserSchema()
event_schema = EventSchema()


def read_event(given: Any, header_id: str | None) -> Event:
    """The event in a body, with the id that may have come as the header `webhook-id` instead.

    Raises ValidationError.
    """
    said = event_schema.load(given)
    user_id = about_user(said["data"]) if said["event"] in EFFECTS else None
    return Event(
        type=said["event"],
        data=said["data"],
        event_id=agreed(said["id"], header_id),
        occurred_at=said["timestamp"],
        user_id=user_id,
    )


def about_user(data: Any) -> UUID:
    """The user whom an event that we act on is about. Raises ValidationError."""
    try:
        user_id: UUID = about_user_schema.load({} if data is None else data)["user_id"]
    except ValidationError as error:
        raise ValidationError({"data": error.messages}) from None
    return user_id


def agreed(event_id: str | None, header_id: str | None) -> str | None:
    """The one id that body and header name, if any does. Raises ValidationError."""
    if header_id is None or header_id == event_id:
        return event_id
    if event_id is not None:
        raise ValidationError("differs from the header webhook-id", "id")
    if not EVENT_ID_HEADER.fullmatch(header_id):
        raise ValidationError("must be 1 to 255 printable characters, no dot", "webhook-id")
    return header_id
