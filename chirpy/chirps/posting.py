"""Post, find and delete single chirps."""

from typing import NamedTuple
from uuid import UUID, uuid4

from psycopg2.errors import ForeignKeyViolation
from sqlalchemy import bindparam, delete, select, text
from sqlalchemy.dialects.postgresql import insert

from chirpy.accounts.errors import UserGone
from chirpy.chirps import idempotency, wording
from chirpy.chirps.errors import IdempotencyKeyReused, NotTheAuthor, UnknownChirp
from chirpy.chirps.models import Chirp
from chirpy.chirps.timeline import CHIRP_JSON, CHIRPS
from chirpy.database.autocommit import run_autocommit
from chirpy.database.engine import db
from chirpy.database.errors import violation_raises
from chirpy.database.retries import retry_conflicts

COLUMNS = ("id", "body", "user_id", "idempotency_key", "posted_hash")

# A NULL key conflicts with nothing. On a conflict, the update changes no value, but unlike DO
# NOTHING it waits for the concurrent transaction and returns its row. It writes the row again, so
# COMMIT waits for disk and standby too: that of the first request may not have.
POST = (
    insert(CHIRPS)
    .values({name: bindparam(name) for name in COLUMNS})
    .on_conflict_do_update(
        index_elements=["user_id", "idempotency_key"],
        index_where=text("idempotency_key IS NOT NULL"),
        set_={"idempotency_key": CHIRPS.c.idempotency_key},
    )
    .returning(CHIRP_JSON, Chirp.id, Chirp.posted_hash)
)
FIND = select(CHIRP_JSON).where(CHIRPS.c.id == bindparam("id"))
FIND_AUTHOR = select(Chirp.user_id).where(Chirp.id == bindparam("id"))
DELETE = delete(CHIRPS).where(CHIRPS.c.id == bindparam("id"))


class Posted(NamedTuple):
    """A chirp as JSON, and whether an earlier request with the same key created it."""

    json: str
    replayed: bool


@retry_conflicts
def post_autocommit(author_id: UUID, body: str, key: str | None) -> Posted:
    """Store a chirp, cleaned, and commit.

    Raise ChirpTooLong (400), UserGone (401) or IdempotencyKeyReused (422).
    """
    values = {
        "id": uuid4(),
        "body": wording.clean(body),
        "user_id": author_id,
        "idempotency_key": key,
        "posted_hash": None if key is None else idempotency.fingerprint(body),
    }
    with violation_raises(ForeignKeyViolation, "chirps", UserGone):
        [(json, stored_id, stored_hash)] = run_autocommit(POST, values)
    if stored_hash is not None and bytes(stored_hash) != values["posted_hash"]:
        raise IdempotencyKeyReused
    return Posted(json, replayed=stored_id != values["id"])


def find_chirp(chirp_id: UUID) -> str:
    """Return one chirp as JSON. Raise UnknownChirp (404)."""
    for [chirp] in run_autocommit(FIND, {"id": chirp_id}):
        return chirp
    raise UnknownChirp


def delete_own(chirp_id: UUID, author_id: UUID) -> None:
    """Delete an author's chirp. Raise UnknownChirp (404), then NotTheAuthor (403)."""
    stored_author_id = db.session.scalar(FIND_AUTHOR, {"id": chirp_id})
    if stored_author_id is None:
        raise UnknownChirp
    if stored_author_id != author_id:
        raise NotTheAuthor
    db.session.execute(DELETE, {"id": chirp_id})
