"""Issue, find and revoke refresh tokens. The database stores only their SHA-256."""

from hashlib import sha256
from secrets import token_hex
from uuid import UUID

from sqlalchemy import LargeBinary, bindparam, func, insert, select, update

from chirpy.accounts.errors import InvalidRefreshToken, WrongCredentials
from chirpy.accounts.models import RefreshToken
from chirpy.accounts.users import USERS
from chirpy.database.base import table_of
from chirpy.database.engine import db

TOKEN_BYTES = 32  # 64 hexadecimal characters
TOKENS = table_of(RefreshToken)
NOW_REVOKED = {"revoked_at": func.now(), "updated_at": func.now()}

# FOR SHARE waits for a concurrent change of the password, which revokes only the tokens that exist.
# The hash is another one then.
VERIFIED_USER = (
    select(bindparam("hash_of_token", type_=LargeBinary), USERS.c.id)
    .where(USERS.c.id == bindparam("id_of_user"), USERS.c.hashed_password == bindparam("verified"))
    .with_for_update(read=True)
)
# The column's default lets the token expire after 60 days.
INSERT = (
    insert(TOKENS).from_select(["token_hash", "user_id"], VERIFIED_USER).returning(TOKENS.c.user_id)
)
FIND_USER_ID = select(RefreshToken.user_id).where(
    RefreshToken.token_hash == bindparam("token_hash"),
    RefreshToken.revoked_at.is_(None),
    RefreshToken.expires_at > func.now(),
)
# Not named `token_hash` and `user_id`: SQLAlchemy reserves them for values of the UPDATE.
REVOKE = (
    update(TOKENS)
    .where(TOKENS.c.token_hash == bindparam("hash_of_token"), TOKENS.c.revoked_at.is_(None))
    .values(NOW_REVOKED)
)
REVOKE_ALL = (
    update(TOKENS)
    .where(TOKENS.c.user_id == bindparam("id_of_user"), TOKENS.c.revoked_at.is_(None))
    .values(NOW_REVOKED)
)


def issue(user_id: UUID, verified_hash: str) -> str:
    """Store a new refresh token and return it: 64 hexadecimal characters.

    Raise WrongCredentials (401) when the user was deleted or got another password meanwhile.
    """
    token = token_hex(TOKEN_BYTES)
    values = {"hash_of_token": digest(token), "id_of_user": user_id, "verified": verified_hash}
    if db.session.scalar(INSERT, values) is None:
        raise WrongCredentials
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


def revoke_all(user_id: UUID) -> None:
    """Revoke all refresh tokens of a user."""
    db.session.execute(REVOKE_ALL, {"id_of_user": user_id})


def digest(token: str) -> bytes:
    """Return the SHA-256 of a token. Tokens are random, so it needs no salt."""
    return sha256(token.encode()).digest()
