"""Refresh tokens from login to revocation."""

from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import bindparam, func, insert, select, update

from chirpy.accounts import guard, tokens
from chirpy.accounts.models import RefreshToken
from chirpy.database import db, table
from chirpy.transactions import refusing

SESSIONS = table(RefreshToken)

START = insert(SESSIONS).values(
    token_hash=bindparam("token_hash"),
    user_id=bindparam("user_id"),
    expires_at=bindparam("expires_at"),
)
USER_OF = select(SESSIONS.c.user_id).where(
    SESSIONS.c.token_hash == bindparam("token_hash"),
    SESSIONS.c.revoked_at.is_(None),
    SESSIONS.c.expires_at > func.now(),
)
END = (
    update(SESSIONS)
    .where(SESSIONS.c.token_hash == bindparam("token_hash_"), SESSIONS.c.revoked_at.is_(None))
    .values(revoked_at=func.now(), updated_at=func.now())
)


def start(user_id: UUID) -> str:
    """Start a session; the refresh token returned stands nowhere else.

    Raises Refused, 401, when the user was deleted meanwhile.
    """
    token = tokens.issue_refresh()
    expires_at = datetime.now(UTC) + tokens.REFRESH_LIFETIME
    session = {"token_hash": tokens.digest(token), "user_id": user_id, "expires_at": expires_at}
    with refusing("fk_refresh_tokens_user_id_users", guard.wrong_credentials):
        db.session.execute(START, session)
    return token


def user_of(refresh_token: str) -> UUID | None:
    """Whose session this is, unless the token is unknown, expired or revoked."""
    user_id: UUID | None = db.session.scalar(USER_OF, {"token_hash": tokens.digest(refresh_token)})
    return user_id


def end(refresh_token: str) -> None:
    """Revoke a refresh token; an unknown or revoked one stays as it is."""
    db.session.execute(END, {"token_hash_": tokens.digest(refresh_token)})
