"""The bodies and query strings of requests about chirps."""

from marshmallow import Schema, fields

from chirpy.web.fields import RequestSchema, TextField
from chirpy.web.paging import CursorField, LimitField, parse_sort
from chirpy.web.timestamps import TimestampField
from chirpy.web.uuids import UUIDField


class NewChirpSchema(RequestSchema):
    """`{body}`. `wording.clean` checks its length."""

    body = TextField()


class ChirpSchema(Schema):
    """A chirp as every client may see it."""

    id = UUIDField()
    created_at = TimestampField()
    updated_at = TimestampField()
    body = fields.Str()
    user_id = UUIDField()


class ListingSchema(RequestSchema):
    """`?author_id=…&sort=asc|desc&limit=…&after=…`, all optional."""

    author_id = UUIDField(load_default=None)
    newest_first = fields.Function(deserialize=parse_sort, data_key="sort", load_default=False)
    limit = LimitField()
    after = CursorField(load_default=None)


new_chirp_schema = NewChirpSchema()
chirp_schema = ChirpSchema()
listing_schema = ListingSchema()
