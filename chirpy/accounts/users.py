"""Create, find and change users. The database decides whether an email is unique."""

from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import bindparam, false, func, select, text, update
from sqlalchemy.dialects.postgresql import insert

from chirpy.accounts.errors import EmailTaken
from chirpy.accounts.models import Membership, User
from chirpy.database.base import table_of
from chirpy.database.engine import db
from chirpy.database.retries import violation_raises

USERS = table_of(User)
MEMBERSHIPS = table_of(Membership)
MEMBERSHIP = (
    select(MEMBERSHIPS.c.is_chirpy_red)
    .where(MEMBERSHIPS.c.user_id == USERS.c.id)
    .correlate(USERS)
    .scalar_subquery()
)
IS_CHIRPY_RED = func.coalesce(MEMBERSHIP, false())
PUBLIC = (USERS.c.id, USERS.c.created_at, USERS.c.updated_at, USERS.c.email)
VALUES: dict[str, Any] = {
    "email": bindparam("email"),
    "hashed_password": bindparam("hashed_password"),
}

CREATE = (
    insert(USERS)
    .values(VALUES)
    .on_conflict_do_nothing(index_elements=[text("lower(email)")])
    .returning(*PUBLIC, false())
)
FIND = select(*PUBLIC, IS_CHIRPY_RED, USERS.c.hashed_password).where(
    func.lower(USERS.c.email) == func.lower(bindparam("email"))
)
CHANGE = (
    update(USERS)
    .where(USERS.c.id == bindparam("user_id"))
    .values(VALUES | {"updated_at": func.now()})
    .returning(*PUBLIC, IS_CHIRPY_RED)
)
# It does not overwrite a password that was changed meanwhile.
REPLACE_HASH = (
    update(USERS)
    .where(USERS.c.id == bindparam("user_id"), USERS.c.hashed_password == bindparam("old_hash"))
    .values(hashed_password=bindparam("hashed_password"))
)


class UserRow(NamedTuple):
    """A user as responses show them. Only `find` fills in the password hash."""

    id: UUID
    created_at: datetime
    updated_at: datetime
    email: str
    is_chirpy_red: bool
    hashed_password: str = ""


def create(email: str, hashed_password: str) -> UserRow:
    """Create a user. Raise EmailTaken (409)."""
    values = {"email": email, "hashed_password": hashed_password}
    row = db.session.execute(CREATE, values).one_or_none()
    if row is None:
        raise EmailTaken
    return UserRow(*row)


def find(email: str) -> UserRow | None:
    """Return the user with this email, in upper or lower case, and their password hash."""
    row = db.session.execute(FIND, {"email": email}).one_or_none()
    return None if row is None else UserRow(*row)


def change(user_id: UUID, email: str, hashed_password: str) -> UserRow | None:
    """Change a user's email and password; return None if they are gone. Raise EmailTaken (409)."""
    values = {"user_id": user_id, "email": email, "hashed_password": hashed_password}
    with violation_raises("uq_users_lower_email", EmailTaken):
        row = db.session.execute(CHANGE, values).one_or_none()
    return None if row is None else UserRow(*row)


def replace_hash(user: UserRow, hashed_password: str) -> None:
    """Replace the hash of an unchanged password. `updated_at` stays as it is."""
    values = {"user_id": user.id, "old_hash": user.hashed_password}
    db.session.execute(REPLACE_HASH, values | {"hashed_password": hashed_password})
