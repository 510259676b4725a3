"""Lists in pages. Each page continues after the last row of the page before (keyset paging).

A cursor holds the two columns that order the list. Deep pages cost what the first page costs, and
rows that are added meanwhile move nothing; with OFFSET neither is true.
"""

import struct
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, Self, TypeVar
from urllib.parse import urlencode
from uuid import UUID

from flask import Request
from marshmallow import ValidationError, fields

from chirpy.settings import parse_whole_number

DEFAULT_LIMIT = 100  # rows
MAX_LIMIT = 1000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
PACKED = struct.Struct(">q16s")  # microseconds since 1970, the id's bytes
RowT = TypeVar("RowT")


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


class CursorField(fields.Field[Cursor]):
    """The query's `after`: where the page before ended, as the Link header gave it."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> Cursor:
        return Cursor.parse(value)


class LimitField(fields.Field[int]):
    """The query's `limit`: the largest number of rows."""

    def __init__(self) -> None:
        super().__init__(load_default=DEFAULT_LIMIT)

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> int:
        try:
            return parse_whole_number(value, 1, MAX_LIMIT)
        except ValueError as error:
            raise ValidationError(str(error)) from None


def split_page(
    rows: Sequence[RowT], limit: int, cursor_of: Callable[[RowT], Cursor]
) -> tuple[Sequence[RowT], Cursor | None]:
    """Return the first `limit` of `rows`, and the cursor of the next page if there are more."""
    if len(rows) <= limit:
        return rows, None
    return rows[:limit], cursor_of(rows[limit - 1])


def link_headers(request: Request, after: Cursor | None) -> dict[str, str]:
    """Return the Link header of the next page (RFC 8288), or nothing on the last page.

    The link is relative, so that it is right behind any proxy.
    """
    if after is None:
        return {}
    query = urlencode(request.args.to_dict() | {"after": str(after)})
    return {"Link": f'<{request.path}?{query}>; rel="next"'}
