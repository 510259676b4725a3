"""Chirps in order, a page at a time: by `created_at`, ties broken by `id`."""

import json
from datetime import datetime
from itertools import product
from typing import Any
from uuid import UUID

from sqlalchemy import Select, bindparam, select, tuple_

from chirpy.answers import json_of
from chirpy.chirps.models import Chirp
from chirpy.chirps.schemas import chirp_schema
from chirpy.database import table
from chirpy.paging import Cursor
from chirpy.statements import alone

CHIRPS = table(Chirp)
SHOWN = json_of(chirp_schema, CHIRPS)
PLACE = (CHIRPS.c.created_at, CHIRPS.c.id)


def build(newest_first: bool, of_author: bool, continued: bool) -> Select[Any]:
    """The statement for one kind of page."""
    page = select(SHOWN).limit(bindparam("limit"))
    page = page.order_by(*(place.desc() if newest_first else place for place in PLACE))
    if of_author:
        page = page.where(CHIRPS.c.user_id == bindparam("author_id"))
    if continued:
        after = tuple_(bindparam("at"), bindparam("id"))
        page = page.where(tuple_(*PLACE) < after if newest_first else tuple_(*PLACE) > after)
    return page


PAGES = {kind: build(*kind) for kind in product([False, True], repeat=3)}


def page(
    author_id: UUID | None, newest_first: bool, after: Cursor | None, limit: int
) -> tuple[list[str], Cursor | None]:
    """Up to `limit` chirps, each as JSON, and where the next page starts if there is one."""
    statement = PAGES[newest_first, author_id is not None, after is not None]
    place = after._asdict() if after else {}
    parameters = {"author_id": author_id, "limit": limit + 1, **place}
    chirps: list[str] = [chirp for [chirp] in alone(statement, parameters)]
    return chirps[:limit], place_of(chirps[limit - 1]) if len(chirps) > limit else None


def place_of(chirp: str) -> Cursor:
    """Where a chirp, as JSON, stands in the order of all."""
    said = json.loads(chirp)
    return Cursor(datetime.fromisoformat(said["created_at"]), UUID(said["id"]))
