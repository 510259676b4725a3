"""What goes in and comes out where chirps are concerned."""

from typing import Any, cast

from marshmallow import EXCLUDE, Schema, fields
from marshmallow.validate import Range

from chirpy.chirps.timeline import Cursor
from chirpy.database import Record
from chirpy.fields import Id, Instant, Text

PAGE = 100  # chirps, unless `limit` says otherwise
LARGEST_PAGE = 1000


class NewChirpSchema(Schema):
    """`{body}`; how long it may be is a matter of wording."""

    class Meta:
        unknown = EXCLUDE

    body = Text()


class ChirpSchema(Schema):
    """A chirp as everybody may see it."""

    id = Id()
    created_at = Instant()
    updated_at = Instant()
    body = fields.Str()
    user_id = Id()


class CursorField(fields.Field[Cursor]):
    """Where the page before ended, as the Link header gave it."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> Cursor:
        return Cursor.parse(value)


class ListingSchema(Schema):
    """`?author_id=…&sort=asc|desc&limit=…&after=…`, each of which may be left out."""

    class Meta:
        unknown = EXCLUDE

    author_id = Id(load_default=None)
    newest_first = fields.Function(
        deserialize=lambda sort: sort == "desc", data_key="sort", load_default=False
    )
    limit = fields.Int(
        load_default=PAGE,
        validate=Range(1, LARGEST_PAGE, error=f"must be 1 to {LARGEST_PAGE}"),
        error_messages={"invalid": "must be a whole number"},
    )
    after = CursorField(load_default=None)


new_chirp = NewChirpSchema()
chirp_schema = ChirpSchema()
listing = ListingSchema()


def shown(chirp: Record) -> dict[str, Any]:
    """A row of `chirps` as it goes out."""
    return cast("dict[str, Any]", chirp_schema.dump(chirp))
