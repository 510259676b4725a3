"""Issue, find and revoke refresh tokens. The database stores only their SHA-256."""

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from secrets import token_hex
from uuid import UUID

from sqlalchemy import bindparam, func, insert, select, update

from chirpy.accounts.errors import InvalidRefreshToken, WrongCredentials
from chirpy.accounts.models import RefreshToken
from chirpy.database.base import table_of
from chirpy.database.engine import db
from chirpy.database.errors import violation_raises

LIFETIME = timedelta(days=60)
TOKEN_BYTES = 32  # 64 hexadecimal characters
TOKENS = table_of(RefreshToken)

INSERT = insert(TOKENS).values(
    token_hash=bindparam("token_hash"),
    user_id=bindparam("user_id"),
    expires_at=bindparam("expires_at"),
)
FIND_USER = select(RefreshToken.user_id).where(
    RefreshToken.token_hash == bindparam("token_hash"),
    RefreshToken.revoked_at.is_(None),
    RefreshToken.expires_at > func.now(),
)
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
    expires_at = datetime.now(UTC) + LIFETIME
    values = {"token_hash": digest(token), "user_id": user_id, "expires_at": expires_at}
    with violation_raises("fk_refresh_tokens_user_id_users", WrongCredentials):
        db.session.execute(INSERT, values)
    return token


def find_user(token: str) -> UUID:
    """Return the id of the token's user. Raise InvalidRefreshToken (401)."""
    user_id = db.session.scalar(FIND_USER, {"token_hash": digest(token)})
    if user_id is None:
        raise InvalidRefreshToken
    return user_id


def revoke(token: str) -> None:
    """Revoke a refresh token. Has no effect on an unknown or revoked one."""
    db.session.execute(REVOKE, {"hash_of_token": digest(token)})


def digest(token: str) -> bytes:
    """Return the SHA-256 of a token. Tokens are random, so it needs no salt."""
    return sha256(token.encode()).digest()
