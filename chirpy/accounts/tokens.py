"""Access tokens, which prove themselves, and refresh tokens, which the database knows."""

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from secrets import token_hex
from uuid import UUID

import jwt
from marshmallow import ValidationError

from chirpy.fields import canonical_uuid

ISSUER = "chirpy-access"
ALGORITHM = "HS256"
ACCESS_LIFETIME = timedelta(hours=1)
REFRESH_LIFETIME = timedelta(days=60)
REFRESH_BYTES = 32  # 64 hex characters


class InvalidToken(Exception):
    """Not an access token that holds; the text says why."""


def issue_access(user_id: UUID, secret: str) -> str:
    """A JWT that lets `user_id` in for ACCESS_LIFETIME."""
    now = datetime.now(UTC)
    claims = {"iss": ISSUER, "sub": str(user_id), "iat": now, "exp": now + ACCESS_LIFETIME}
    return jwt.encode(claims, secret, ALGORITHM)


def read_access(token: str, secret: str) -> UUID:
    """The user whom `token` lets in. Raises InvalidToken."""
    try:
        claims = jwt.decode(
            token,
            secret,
            algorithms=[ALGORITHM],
            issuer=ISSUER,
            options={"require": ["iss", "sub", "iat", "exp"]},
        )
        return canonical_uuid(claims["sub"])
    except jwt.ExpiredSignatureError:
        raise InvalidToken("The access token has expired") from None
    except (jwt.PyJWTError, ValidationError):
        raise InvalidToken("The access token is not valid") from None


def issue_refresh() -> str:
    """A refresh token: 64 hexadecimal characters from the system's secure source."""
    return token_hex(REFRESH_BYTES)


def digest(refresh_token: str) -> bytes:
    """What the database keeps of a refresh token. It is random, so it needs no salt."""
    return sha256(refresh_token.encode()).digest()
