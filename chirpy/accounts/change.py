"""Change a user's email and password."""

from uuid import UUID

from chirpy.accounts import passwords, refresh_tokens, users
from chirpy.accounts.users import UserRow
from chirpy.database.engine import db


def change_credentials(user_id: UUID, email: str, password: str) -> UserRow:
    """Change a user's email and password. Another password revokes all their refresh tokens.

    Nothing is locked and no connection taken while passwords are hashed. If another request changes
    the password meanwhile, begin again. Raise UserGone (401) or EmailTaken (409).
    """
    stored_hash = users.find_hash(user_id)
    is_same = passwords.matches(password, stored_hash)
    new_hash = stored_hash if is_same else passwords.hash_password(password)
    if users.lock_hash(user_id) != stored_hash:
        db.session.rollback()
        return change_credentials(user_id, email, password)
    if not is_same:
        refresh_tokens.revoke_all(user_id)
    return users.change(user_id, email, new_hash)
