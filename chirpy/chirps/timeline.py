"""Chirps in order, a page at a time: by `created_at`, ties broken by `id`.

A page continues after the last chirp of the one before (keyset), so that deep pages cost what the
first one does, and chirps posted meanwhile move nothing.
"""

import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any, NamedTuple, Self
from uuid import UUID

from marshmallow import ValidationError
from sqlalchemy import Select, bindparam, select, tuple_

from chirpy.chirps.models import Chirp
from chirpy.database import Record, db, table

CHIRPS = table(Chirp)
SHOWN = (CHIRPS.c.id, CHIRPS.c.created_at, CHIRPS.c.updated_at, CHIRPS.c.body, CHIRPS.c.user_id)
PLACE = (CHIRPS.c.created_at, CHIRPS.c.id)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
PACKED = struct.Struct(">q16s")  # microseconds since 1970, the id's bytes


class Cursor(NamedTuple):
    """Where a page ended."""

    created_at: datetime
    id: UUID

    def __str__(self) -> str:
        since = (self.created_at - EPOCH) // timedelta(microseconds=1)
        return urlsafe_b64encode(PACKED.pack(since, self.id.bytes)).decode()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read what `str()` wrote. Raises ValidationError."""
        try:
            since, id_bytes = PACKED.unpack(urlsafe_b64decode(text))
            return cls(EPOCH + timedelta(microseconds=since), UUID(bytes=id_bytes))
        except (ValueError, struct.error, OverflowError):
            raise ValidationError("is not a cursor: copy it from the Link header") from None


def build(newest_first: bool, of_author: bool, continued: bool) -> Select[Any]:
    """The statement for one kind of page."""
    page = select(*SHOWN).limit(bindparam("limit"))
    page = page.order_by(*(place.desc() if newest_first else place for place in PLACE))
    if of_author:
        page = page.where(CHIRPS.c.user_id == bindparam("author_id"))
    if continued:
        after = tuple_(bindparam("created_at"), bindparam("id"))
        page = page.where(tuple_(*PLACE) < after if newest_first else tuple_(*PLACE) > after)
    return page


PAGES = {kind: build(*kind) for kind in product([False, True], repeat=3)}


def page(
    author_id: UUID | None, newest_first: bool, after: Cursor | None, limit: int
) -> tuple[Sequence[Record], Cursor | None]:
    """Up to `limit` chirps, and where the next page starts if there is one."""
    statement = PAGES[newest_first, author_id is not None, after is not None]
    place = after._asdict() if after else {}
    parameters = {"author_id": author_id, "limit": limit + 1, **place}
    chirps = db.session.execute(statement, parameters).all()
    if len(chirps) <= limit:
        return chirps, None
    last = chirps[limit - 1]
    return chirps[:limit], Cursor(last.created_at, last.id)
