"""Issue, find and revoke refresh tokens. The database stores only their SHA-256."""

from hashlib import sha256
from secrets import token_hex
from uuid import UUID

from sqlalchemy import bindparam, func, insert, select, update

from chirpy.accounts.errors import InvalidRefreshToken, WrongCredentials
from chirpy.accounts.models import RefreshToken
from chirpy.database.base import table_of
from chirpy.database.engine import db
from chirpy.database.errors import violation_raises

TOKEN_BYTES = 32  # 64 hexadecimal characters
TOKENS = table_of(RefreshToken)

# The column's default lets the token expire after 60 days.
INSERT = insert(TOKENS).values(token_hash=bindparam("token_hash"), user_id=bindparam("user_id"))
FIND_USER_ID = select(RefreshToken.user_id).where(
    RefreshToken.token_hash == bindparam("token_hash"),
    RefreshToken.revoked_at.is_(None),
    RefreshToken.expires_at > func.now(),
)
# Not `token_hash`, which SQLAlchemy reserves for a value of the UPDATE.
REVOKE = (
    update(TOKENS)
    .where(TOKENS.c.token_hash == bindparam("hash_of_token"), TOKENS.c.revoked_at.is_(None))
    .values(revoked_at=func.now(), updated_at=func.now())
)


def issue(user_id: UUID) -> str:
    """Store a new refresh token and return it: 64 hexadecimal characters.

    Raise WrongCredentials (401) when the user was deleted meanwhile.
    """
    token = token_hex(TOKEN_BYTES)
    values = {"token_hash": digest(token), "user_id": user_id}
    with violation_raises("fk_refresh_tokens_user_id_users", WrongCredentials):
        db.session.execute(INSERT, values)
    return token


def find_user_id(token: str) -> UUID:
    """Return the id of the token's user. Raise InvalidRefreshToken (401)."""
    user_id = db.session.scalar(FIND_USER_ID, {"token_hash": digest(token)})
    if user_id is None:
        raise InvalidRefreshToken
    return user_id


def revoke(token: str) -> None:
    """Revoke a refresh token. Has no effect on an unknown or revoked one."""
    db.session.execute(REVOKE, {"hash_of_token": digest(token)})


def digest(token: str) -> bytes:
    """Return the SHA-256 of a token. Tokens are random, so it needs no salt."""
    return sha256(token.encode()).digest()
