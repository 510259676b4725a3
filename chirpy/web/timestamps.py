"""Times in responses: RFC 3339, in UTC, with microseconds."""

from datetime import UTC, datetime
from typing import Any

from marshmallow import fields


class TimestampField(fields.DateTime):
    """A time in a response: RFC 3339, UTC, `Z`, microseconds."""

    def _serialize(self, value: datetime | None, *_: Any, **__: Any) -> str | None:
        if value is None:
            return None
        return value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
