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
NEXT_PAGE = {  # for the API reference
    "Link": {
        "description": "The address of the next page, unless this is the last one",
        "schema": {"type": "string"},
        "example": '</api/chirps?after=AAZJqIoCgACUt-RMNgRC4773vvzD7_-P>; rel="next"',
    }
}
RowT = TypeVar("RowT")


class LimitField(fields.Int):
    """The query's `limit`: the largest number of rows."""

    def __init__(self) -> None:
        bounds = {"minimum": 1, "maximum": MAX_LIMIT, "description": "The largest number of rows"}
        super().__init__(load_default=DEFAULT_LIMIT, metadata=bounds)

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> int:
        try:
            return parse_whole_number(value, 1, MAX_LIMIT)
        except ValueError as error:
            raise ValidationError(str(error)) from None


class SortField(fields.Field[bool]):
    """The query's `sort`: whether the newest rows come first."""

    def __init__(self) -> None:
        choice = {"type": "string", "enum": ["asc", "desc", ""], "default": "asc"}
        super().__init__(data_key="sort", metadata=choice)

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> bool:
        if value not in {"", "asc", "desc"}:
            raise ValidationError("must be asc or desc")
        return bool(value == "desc")


class CursorField(fields.Field[Cursor]):
    """The query's `after`: where the page before ended, as the Link header gave it."""

    def __init__(self) -> None:
        meaning = "Where the page before ended: copy it from the header Link"
        form = {"type": "string", "pattern": "^[A-Za-z0-9_-]{32}$"}
        super().__init__(metadata=form | {"description": meaning})

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> Cursor:
        return Cursor.parse(value)


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
