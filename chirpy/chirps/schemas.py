"""What goes in and comes out where chirps are concerned."""

from marshmallow import Schema, fields

from chirpy.fields import Id, Instant, Shape, Text
from chirpy.paging import After, Limit


class NewChirpSchema(Shape):
    """`{body}`; how long it may be is a matter of wording."""

    body = Text()


class ChirpSchema(Schema):
    """A chirp as everybody may see it."""

    id = Id()
    created_at = Instant()
    updated_at = Instant()
    body = fields.Str()
    user_id = Id()


class ListingSchema(Shape):
    """`?author_id=…&sort=asc|desc&limit=…&after=…`, each of which may be left out."""

    author_id = Id(load_default=None)
    newest_first = fields.Function(
        deserialize=lambda sort: sort == "desc", data_key="sort", load_default=False
    )
    limit = Limit()
    after = After(load_default=None)


new_chirp = NewChirpSchema()
chirp_schema = ChirpSchema()
listing = ListingSchema()
