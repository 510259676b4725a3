"""Change a user's email and password."""

from uuid import UUID

from chirpy.accounts import passwords, refresh_tokens, users
from chirpy.accounts.users import UserRow


def change_credentials(user_id: UUID, email: str, password: str) -> UserRow:
    """Change a user's email and password. Another password revokes all their refresh tokens.

    Raise UserGone (401) or EmailTaken (409).
    """
    stored_hash = users.lock_hash(user_id)
    if passwords.matches(password, stored_hash):
        return users.change(user_id, email, stored_hash)
    refresh_tokens.revoke_all(user_id)
    return users.change(user_id, email, passwords.hash_password(password))
