"""The time of an event, as providers write it."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from marshmallow import ValidationError, fields

# The zero times of clocks and languages are before: the years 1, 1601, 1900, 1970 and 1980.
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
CLOCK_SKEW = timedelta(minutes=5)  # a provider's clock can be ahead of ours by this much

# RFC 3339, but seconds and the zone's colon are optional, and a comma can precede the fraction.
# fromisoformat alone also accepts week dates, any character for the T, and any text after a NUL.
ISO_8601 = re.compile(
    r"[0-9]{4}(-[0-9]{2}){2}[Tt ][0-9]{2}(:[0-9]{2}){1,2}([.,][0-9]{1,9})?"
    r"([Zz]|[+-][0-9]{2}:?[0-9]{2})?"
)
NANOSECONDS = re.compile(r"[.,][0-9]{6}([0-9]*[1-9])")
SECOND = slice(16, 19)  # of such a time
NOT_ISO_8601 = "is not an ISO 8601 time such as 2026-01-31T12:00:00Z"


class TimeField(fields.Field[datetime]):
    """An ISO 8601 time with a zone."""

    def __init__(self, **options: Any) -> None:
        described = {"type": "string", "format": "date-time"}
        super().__init__(metadata=described, **options)

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> datetime:
        return parse_time(value)


class EventTimeField(TimeField):
    """An ISO 8601 time with a zone, not before EARLIEST, and not in the future."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> datetime:
        time = parse_time(value)
        if time < EARLIEST:
            raise ValidationError("is before the year 2000, so the clock that made it was not set")
        if time > datetime.now(UTC) + CLOCK_SKEW:
            raise ValidationError("is more than 5 minutes in the future")
        return time


def parse_time(value: Any) -> datetime:
    """Return an ISO 8601 time in UTC. Raise ValidationError.

    Python and Postgres have no leap second, 23:59:60 in UTC: it becomes the next second. It is
    accepted on any day, so that no list of leap seconds must be kept.
    """
    if not isinstance(value, str) or not ISO_8601.fullmatch(value):
        raise ValidationError(NOT_ISO_8601)
    is_leap = value[SECOND] == ":60"
    try:
        time = datetime.fromisoformat(value.upper().replace(":60", ":59", is_leap))
        if time.tzinfo is None:
            raise ValidationError("must have a time zone, as in 2026-01-31T12:00:00Z")
        time = time.astimezone(UTC) + timedelta(seconds=is_leap)
    except (ValueError, OverflowError):
        raise ValidationError(NOT_ISO_8601) from None
    if is_leap and (time.hour, time.minute, time.second) != (0, 0, 0):
        raise ValidationError("has a leap second, which is possible at 23:59:60 in UTC only")
    return time


def nanoseconds(value: str) -> str:
    """Return the digits after the microseconds, which neither `parse_time` nor Postgres keeps."""
    found = NANOSECONDS.search(value)
    return found[1] if found else ""
