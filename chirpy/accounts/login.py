"""Verify an email and a password."""

from uuid import UUID

from sqlalchemy import bindparam, func, select, update

from chirpy.accounts import passwords
from chirpy.accounts.errors import WrongCredentials
from chirpy.accounts.users import STORED_USER, USERS, UserRow
from chirpy.database.engine import db

FIND = select(USERS.c.hashed_password, *STORED_USER).where(
    func.lower(USERS.c.email) == func.lower(bindparam("email"))
)
REPLACE_HASH = (
    update(USERS)
    .where(USERS.c.id == bindparam("user_id"), USERS.c.hashed_password == bindparam("old_hash"))
    .values(hashed_password=bindparam("hashed_password"))
)


def verify_credentials(email: str, password: str) -> tuple[UserRow, str]:
    """Return the user with this email and password, and the hash. Raise WrongCredentials (401).

    A hash with outdated parameters is replaced first. `updated_at` stays as it is.
    """
    row = db.session.execute(FIND, {"email": email}).one_or_none()
    stored_hash = None if row is None else row.hashed_password
    if not passwords.matches(password, stored_hash) or row is None:
        raise WrongCredentials
    if passwords.is_outdated(row.hashed_password):
        replace_hash(row.id, row.hashed_password, passwords.hash_password(password))
        return verify_credentials(email, password)
    return UserRow(*row[1:]), row.hashed_password


def replace_hash(user_id: UUID, old_hash: str, new_hash: str) -> None:
    """Replace the hash, unless the password was changed meanwhile."""
    values = {"user_id": user_id, "old_hash": old_hash, "hashed_password": new_hash}
    db.session.execute(REPLACE_HASH, values)
