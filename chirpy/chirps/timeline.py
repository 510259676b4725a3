"""List chirps in pages, ordered by `created_at`, ties by `id`."""

import json
from collections.abc import Sequence
from datetime import datetime
from itertools import product
from uuid import UUID

from sqlalchemy import Select, bindparam, select, tuple_

from chirpy.chirps.models import Chirp
from chirpy.chirps.schemas import chirp_schema
from chirpy.database.autocommit import run_autocommit
from chirpy.database.base import table_of
from chirpy.web.cursors import Cursor
from chirpy.web.paging import split_page
from chirpy.web.sql_json import json_object

CHIRPS = table_of(Chirp)
CHIRP_JSON = json_object(chirp_schema, CHIRPS)
ORDER = (CHIRPS.c.created_at, CHIRPS.c.id)


def build_statement(newest_first: bool, by_author: bool, continued: bool) -> Select[str]:
    """Return the statement for one kind of page."""
    page = select(CHIRP_JSON).limit(bindparam("limit"))
    page = page.order_by(*(column.desc() if newest_first else column for column in ORDER))
    if by_author:
        page = page.where(CHIRPS.c.user_id == bindparam("author_id"))
    if continued:
        cursor = tuple_(bindparam("at"), bindparam("id"))
        page = page.where(tuple_(*ORDER) < cursor if newest_first else tuple_(*ORDER) > cursor)
    return page


PAGES = {kind: build_statement(*kind) for kind in product([False, True], repeat=3)}


def list_page(
    limit: int,
    after: Cursor | None = None,
    author_id: UUID | None = None,
    newest_first: bool = False,
) -> tuple[Sequence[str], Cursor | None]:
    """Return up to `limit` chirps as JSON, and the cursor of the next page if there is one."""
    statement = PAGES[newest_first, author_id is not None, after is not None]
    cursor = after._asdict() if after else {}
    parameters = {"author_id": author_id, "limit": limit + 1, **cursor}
    chirps = [chirp for [chirp] in run_autocommit(statement, parameters)]
    return split_page(chirps, limit, cursor_of)


def cursor_of(chirp: str) -> Cursor:
    """Return the position of a chirp, given as JSON."""
    values = json.loads(chirp)
    return Cursor(datetime.fromisoformat(values["created_at"]), UUID(values["id"]))
