"""Lists in pages. Each page continues after the last row of the page before (keyset paging).

A cursor holds the two columns that order the list. A page deep in the list costs what the first
page costs, and rows added meanwhile move no other row to another page. OFFSET has neither property.
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar
from urllib.parse import urlencode

from flask import Request
from marshmallow import ValidationError, fields

from chirpy.settings.parsers import parse_whole_number
from chirpy.web.cursors import Cursor

DEFAULT_LIMIT = 100  # rows
MAX_LIMIT = 1000
RowT = TypeVar("RowT")


class LimitField(fields.Field[int]):
    """The query's `limit`: the largest number of rows."""

    def __init__(self) -> None:
        super().__init__(load_default=DEFAULT_LIMIT)

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> int:
        try:
            return parse_whole_number(value, 1, MAX_LIMIT)
        except ValueError as error:
            raise ValidationError(str(error)) from None


class CursorField(fields.Field[Cursor]):
    """The query's `after`: where the page before ended, as the Link header gave it."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> Cursor:
        return Cursor.parse(value)


def parse_sort(sort: str) -> bool:
    """Return whether the query's `sort` puts the newest rows first. Raise ValidationError."""
    if sort not in {"", "asc", "desc"}:
        raise ValidationError("must be asc or desc")
    return sort == "desc"


def split_page(
    rows: Sequence[RowT], limit: int, cursor_of: Callable[[RowT], Cursor]
) -> tuple[Sequence[RowT], Cursor | None]:
    """Return the first `limit` of `rows`, and the cursor of the next page if there are more."""
    if len(rows) <= limit:
        return rows, None
    return rows[:limit], cursor_of(rows[limit - 1])


def link_headers(request: Request, after: Cursor | None) -> dict[str, str]:
    """Return the Link header of the next page (RFC 8288), or nothing on the last page.

    The link has no host, because a proxy can have another one.
    """
    if after is None:
        return {}
    query = urlencode(request.args.to_dict() | {"after": str(after)})
    return {"Link": f'<{request.path}?{query}>; rel="next"'}
