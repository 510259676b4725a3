"""Cursors: the position in a list where the next page starts, as text for the client."""

import struct
from base64 import b64decode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, Self
from uuid import UUID

from marshmallow import ValidationError

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
PACKED = struct.Struct(">q16s")  # microseconds since 1970, the id's bytes


class Cursor(NamedTuple):
    """The position of a row in a list that is ordered by a time and an id."""

    at: datetime
    id: UUID

    def __str__(self) -> str:
        since = (self.at - EPOCH) // timedelta(microseconds=1)
        return urlsafe_b64encode(PACKED.pack(since, self.id.bytes)).decode()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the cursor that `str()` wrote. Raise ValidationError."""
        try:
            since, id_bytes = PACKED.unpack(b64decode(text, b"-_", validate=True))
            return cls(EPOCH + timedelta(microseconds=since), UUID(bytes=id_bytes))
        except (ValueError, struct.error, OverflowError):
            raise ValidationError("is not a cursor: copy it from the Link header") from None
