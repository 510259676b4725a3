"""The bodies and query strings of requests about chirps."""

from marshmallow import fields

from chirpy.chirps.wording import MAX_CHIRP_LENGTH
from chirpy.web.fields import RequestSchema, ResponseSchema, TextField
from chirpy.web.paging import CursorField, LimitField, SortField
from chirpy.web.timestamps import TimestampField
from chirpy.web.uuids import UUIDField


class NewChirpSchema(RequestSchema):
    """`{body}`. `wording.clean` checks its length."""

    body = TextField(metadata={"maxLength": MAX_CHIRP_LENGTH})


class ChirpSchema(ResponseSchema):
    """A chirp as every client may see it."""

    id = UUIDField()
    created_at = TimestampField()
    updated_at = TimestampField()
    body = fields.Str()
    user_id = UUIDField()


class ListingSchema(RequestSchema):
    """`?author_id=…&sort=asc|desc&limit=…&after=…`, all optional."""

    author_id = UUIDField()
    newest_first = SortField()
    limit = LimitField()
    after = CursorField()


new_chirp_schema = NewChirpSchema()
chirp_schema = ChirpSchema()
listing_schema = ListingSchema()
