"""Verify an email and a password."""

from uuid import UUID

from sqlalchemy import bindparam, func, select, update

from chirpy.accounts import passwords
from chirpy.accounts.errors import WrongCredentials
from chirpy.accounts.users import STORED_USER, USERS, UserRow
from chirpy.database.autocommit import run_autocommit

FIND = select(USERS.c.hashed_password, *STORED_USER).where(
    func.lower(USERS.c.email) == func.lower(bindparam("email"))
)
REPLACE_HASH = (
    update(USERS)
    .where(USERS.c.id == bindparam("user_id"), USERS.c.hashed_password == bindparam("old_hash"))
    .values(hashed_password=bindparam("hashed_password"))
    .returning(USERS.c.id)
)


def verify_credentials(email: str, password: str) -> tuple[UserRow, str]:
    """Return the user with this email and password, and the hash. Raise WrongCredentials (401).

    No connection is taken while a password is hashed. A hash with outdated parameters is replaced
    first. `updated_at` stays as it is.
    """
    found = run_autocommit(FIND, {"email": email})
    stored_hash, *columns = found[0] if found else (None,)
    if not passwords.matches(password, stored_hash) or stored_hash is None:
        raise WrongCredentials
    user = UserRow(*columns)
    if passwords.is_outdated(stored_hash):
        replace_hash_autocommit(user.id, stored_hash, passwords.hash_password(password))
        return verify_credentials(email, password)
    return user, stored_hash


def replace_hash_autocommit(user_id: UUID, old_hash: str, new_hash: str) -> None:
    """Replace the hash and commit, unless the password was changed meanwhile."""
    values = {"user_id": user_id, "old_hash": old_hash, "hashed_password": new_hash}
    run_autocommit(REPLACE_HASH, values)
