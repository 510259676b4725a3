"""Sign users up, find and change them; that an email is unique is the database's word."""

from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, false, func, select, text, update
from sqlalchemy.dialects.postgresql import insert

from chirpy.accounts.models import Membership, User
from chirpy.database import Record, db, table
from chirpy.errors import Refused
from chirpy.transactions import refusing

USERS = table(User)
MEMBERSHIPS = table(Membership)
RED = (
    select(MEMBERSHIPS.c.is_chirpy_red)
    .where(MEMBERSHIPS.c.user_id == USERS.c.id)
    .correlate(USERS)
    .scalar_subquery()
)
IS_CHIRPY_RED = func.coalesce(RED, false()).label("is_chirpy_red")
PUBLIC = (USERS.c.id, USERS.c.created_at, USERS.c.updated_at, USERS.c.email)
GIVEN: dict[str, Any] = {
    "email": bindparam("email"),
    "hashed_password": bindparam("hashed_password"),
}

SIGN_UP = (
    insert(USERS)
    .values(GIVEN)
    .on_conflict_do_nothing(index_elements=[text("lower(email)")])
    .returning(*PUBLIC, false().label("is_chirpy_red"))
)
FIND = select(*PUBLIC, IS_CHIRPY_RED, USERS.c.hashed_password).where(
    func.lower(USERS.c.email) == func.lower(bindparam("email"))
)
CHANGE = (
    update(USERS)
    .where(USERS.c.id == bindparam("user_id"))
    .values(GIVEN | {"updated_at": func.now()})
    .returning(*PUBLIC, IS_CHIRPY_RED)
)
# A password that was changed meanwhile stays as it is.
RENEW_HASH = (
    update(USERS)
    .where(USERS.c.id == bindparam("user_id"), USERS.c.hashed_password == bindparam("outdated"))
    .values(hashed_password=bindparam("hashed_password"))
)


def sign_up(email: str, hashed_password: str) -> Record:
    """Make a new user. Raises Refused, 409, when the email is taken."""
    given = {"email": email, "hashed_password": hashed_password}
    user = db.session.execute(SIGN_UP, given).one_or_none()
    if user is None:
        raise email_taken()
    return user


def find(email: str) -> Record | None:
    """The user with this email, in any case, and the hash of their password."""
    return db.session.execute(FIND, {"email": email}).one_or_none()


def change(user_id: UUID, email: str, hashed_password: str) -> Record | None:
    """Give a user another email and password. Raises Refused, 409, when the email is taken."""
    given = {"user_id": user_id, "email": email, "hashed_password": hashed_password}
    with refusing("uq_users_lower_email", email_taken):
        return db.session.execute(CHANGE, given).one_or_none()


def renew_hash(user: Record, hashed_password: str) -> None:
    """Keep another hash of the same password; to everybody else nothing has changed."""
    renewed = {"user_id": user.id, "outdated": user.hashed_password}
    db.session.execute(RENEW_HASH, renewed | {"hashed_password": hashed_password})


def email_taken() -> Refused:
    """409 for an email that has an account."""
    return Refused(
        409,
        "This email already has an account",
        hint="Log in at POST /api/login, or take another email",
        fields={"email": "is taken"},
    )
