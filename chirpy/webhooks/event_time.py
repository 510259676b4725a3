"""The time of an event, as providers write it."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from marshmallow import ValidationError, fields

CLOCK_SKEW = timedelta(minutes=5)  # a provider's clock can be ahead of ours by this much

# RFC 3339, but seconds and the zone's colon are optional, and a comma can precede the fraction.
# fromisoformat alone also accepts week dates, any character for the T, and any text after a NUL.
ISO_8601 = re.compile(
    r"[0-9]{4}(-[0-9]{2}){2}[Tt ][0-9]{2}(:[0-9]{2}){1,2}([.,][0-9]{1,9})?"
    r"([Zz]|[+-][0-9]{2}:?[0-9]{2})?"
)
NOT_ISO_8601 = "is not an ISO 8601 time such as 2026-01-31T12:00:00Z"


class EventTimeField(fields.Field[datetime]):
    """An ISO 8601 time with a zone, not in the future."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> datetime:
        time = parse_time(value)
        if time > datetime.now(UTC) + CLOCK_SKEW:
            raise ValidationError("is more than 5 minutes in the future")
        return time


def parse_time(value: Any) -> datetime:
    """Return an ISO 8601 time in UTC. Raise ValidationError."""
    if not isinstance(value, str) or not ISO_8601.fullmatch(value):
        raise ValidationError(NOT_ISO_8601)
    try:
        time = datetime.fromisoformat(value.upper())
        if time.tzinfo is None:
            raise ValidationError("must have a time zone, as in 2026-01-31T12:00:00Z")
        return time.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValidationError(NOT_ISO_8601) from None
