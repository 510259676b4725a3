"""A list a page at a time: each page continues after the last row of the one before.

A cursor says where that was, by the two columns that order the list (keyset, not OFFSET): deep
pages cost what the first one does, and rows added meanwhile move nothing.
"""

import struct
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, Self
from urllib.parse import urlencode
from uuid import UUID

from flask import Request
from marshmallow import ValidationError, fields

from chirpy.database import Record
from chirpy.fields import WholeNumber

PAGE = 100  # rows, unless `limit` says otherwise
LARGEST_PAGE = 1000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
PACKED = struct.Struct(">q16s")  # microseconds since 1970, the id's bytes


class Cursor(NamedTuple):
    """Where a page ended."""

    at: datetime
    id: UUID

    def __str__(self) -> str:
        since = (self.at - EPOCH) // timedelta(microseconds=1)
        return urlsafe_b64encode(PACKED.pack(since, self.id.bytes)).decode()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read what `str()` wrote. Raises ValidationError."""
        try:
            since, id_bytes = PACKED.unpack(b64decode(text, b"-_", validate=True))
            return cls(EPOCH + timedelta(microseconds=since), UUID(bytes=id_bytes))
        except (ValueError, struct.error, OverflowError):
            raise ValidationError("is not a cursor: copy it from the Link header") from None


class After(fields.Field[Cursor]):
    """The query's `after`: where the page before ended, as the Link header gave it."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> Cursor:
        return Cursor.parse(value)


class Limit(WholeNumber):
    """The query's `limit`: how many rows at most."""

    def __init__(self) -> None:
        super().__init__(1, LARGEST_PAGE, load_default=PAGE)


def cut(
    rows: Sequence[Record], limit: int, ordered_by: str
) -> tuple[Sequence[Record], Cursor | None]:
    """The first `limit` of `rows`, and where the next page starts if there are more."""
    if len(rows) <= limit:
        return rows, None
    last = rows[limit - 1]
    return rows[:limit], Cursor(getattr(last, ordered_by), last.id)


def links(request: Request, after: Cursor | None) -> dict[str, str]:
    """The Link header that leads to the next page (RFC 8288), if there is one.

    It is relative, so that it holds behind any proxy.
    """
    if after is None:
        return {}
    query = urlencode(request.args.to_dict() | {"after": str(after)})
    return {"Link": f'<{request.path}?{query}>; rel="next"'}
