"""Say something once, find it, take it back."""

from uuid import UUID, uuid4

from sqlalchemy import bindparam, delete, select, text
from sqlalchemy.dialects.postgresql import insert

from chirpy.accounts import guard
from chirpy.chirps import idempotency, wording
from chirpy.chirps.timeline import CHIRPS, SHOWN
from chirpy.database import db
from chirpy.errors import Refused
from chirpy.statements import alone
from chirpy.transactions import refusing

COLUMNS = ("id", "body", "user_id", "idempotency_key", "posted_hash")

# A NULL key conflicts with nothing. On a conflict the update changes nothing: it makes Postgres
# wait for the winner and return its row, which a DO NOTHING would not.
POST = (
    insert(CHIRPS)
    .values({name: bindparam(name) for name in COLUMNS})
    .on_conflict_do_update(
        index_elements=["user_id", "idempotency_key"],
        index_where=text("idempotency_key IS NOT NULL"),
        set_={"idempotency_key": CHIRPS.c.idempotency_key},
    )
    .returning(SHOWN, CHIRPS.c.id, CHIRPS.c.posted_hash)
)
FIND = select(SHOWN).where(CHIRPS.c.id == bindparam("id"))
AUTHOR = select(CHIRPS.c.user_id).where(CHIRPS.c.id == bindparam("id"))
DELETE = delete(CHIRPS).where(CHIRPS.c.id == bindparam("id"))


def post(author_id: UUID, body: str, key: str | None) -> tuple[str, bool]:
    """Post `body`, cleaned, and COMMIT; the chirp as JSON, and whether its key was used before.

    Raises Refused: 400 too long, 401 the author is gone, 422 the key stood for another body.
    """
    chirp = {
        "id": uuid4(),
        "body": wording.clean(body),
        "user_id": author_id,
        "idempotency_key": key,
        "posted_hash": key and idempotency.fingerprint(body),
    }
    with refusing("fk_chirps_user_id_users", guard.user_gone):
        [[posted, posted_id, posted_hash]] = alone(POST, chirp)
    if key is not None and bytes(posted_hash) != chirp["posted_hash"]:
        raise idempotency.reused()
    return posted, posted_id != chirp["id"]


def find(chirp_id: UUID) -> str:
    """One chirp, as JSON. Raises Refused, 404."""
    for [chirp] in alone(FIND, {"id": chirp_id}):
        return str(chirp)
    raise unknown()


def delete_own(chirp_id: UUID, author_id: UUID) -> None:
    """Take a chirp back. Raises Refused: 404 unknown, then 403 somebody else's."""
    author = db.session.scalar(AUTHOR, {"id": chirp_id})
    if author is None:
        raise unknown()
    if author != author_id:
        raise Refused(403, "This chirp is somebody else's", hint="Only its author may delete it")
    db.session.execute(DELETE, {"id": chirp_id})


def unknown() -> Refused:
    """404 for a chirp that is not there, or not any more."""
    return Refused(404, "No such chirp", hint="GET /api/chirps lists them all")
