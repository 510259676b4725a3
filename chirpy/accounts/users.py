"""Create and change users. The database decides whether an email is unique."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from psycopg2.errors import UniqueViolation
from sqlalchemy import bindparam, false, func, select, text, update
from sqlalchemy.dialects.postgresql import insert

from chirpy.accounts.errors import EmailTaken, UserGone
from chirpy.accounts.models import Membership, User
from chirpy.database.autocommit import run_autocommit
from chirpy.database.base import table_of
from chirpy.database.engine import db
from chirpy.database.errors import violation_raises

USERS = table_of(User)
MEMBERSHIPS = table_of(Membership)
MEMBERSHIP = (
    select(MEMBERSHIPS.c.is_chirpy_red)
    .where(MEMBERSHIPS.c.user_id == USERS.c.id)
    .correlate(USERS)
    .scalar_subquery()
)
IS_CHIRPY_RED = func.coalesce(MEMBERSHIP, false())
# The columns of UserRow, for a new user and for a stored one.
NEW_USER = (USERS.c.id, USERS.c.created_at, USERS.c.updated_at, USERS.c.email, false())
STORED_USER = (*NEW_USER[:-1], IS_CHIRPY_RED)

CREATE = (
    insert(USERS)
    .values(email=bindparam("email"), hashed_password=bindparam("hashed_password"))
    .on_conflict_do_nothing(index_elements=[text("lower(email)")])
    .returning(*NEW_USER)
)
CHANGE = (
    update(USERS)
    .where(USERS.c.id == bindparam("user_id"))
    .values(
        email=bindparam("email"),
        hashed_password=bindparam("hashed_password"),
        updated_at=func.now(),
    )
    .returning(*STORED_USER)
)
FIND_HASH = select(USERS.c.hashed_password).where(USERS.c.id == bindparam("user_id"))
# No other request changes this user until the transaction ends. Rows that refer to it can be added.
LOCK_HASH = FIND_HASH.with_for_update(key_share=True)


class UserRow(NamedTuple):
    """A user as responses show them."""

    id: UUID
    created_at: datetime
    updated_at: datetime
    email: str
    is_chirpy_red: bool


def create(email: str, hashed_password: str) -> UserRow:
    """Create a user. Raise EmailTaken (409)."""
    values = {"email": email, "hashed_password": hashed_password}
    row = db.session.execute(CREATE, values).one_or_none()
    if row is None:
        raise EmailTaken
    return UserRow(*row)


def find_hash(user_id: UUID) -> str:
    """Return a user's password hash. Take no connection longer than that. Raise UserGone (401)."""
    found = run_autocommit(FIND_HASH, {"user_id": user_id})
    if not found:
        raise UserGone
    hashed_password: str = found[0][0]
    return hashed_password


def lock_hash(user_id: UUID) -> str:
    """Return a user's password hash and lock the user. Raise UserGone (401)."""
    hashed_password: str | None = db.session.scalar(LOCK_HASH, {"user_id": user_id})
    if hashed_password is None:
        raise UserGone
    return hashed_password


def change(user_id: UUID, email: str, hashed_password: str) -> UserRow:
    """Change the email and password of a locked user. Raise EmailTaken (409)."""
    values = {"user_id": user_id, "email": email, "hashed_password": hashed_password}
    with violation_raises(UniqueViolation, "users", EmailTaken):
        row = db.session.execute(CHANGE, values).one()
    return UserRow(*row)
