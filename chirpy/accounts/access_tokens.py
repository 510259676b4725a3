"""Access tokens: JWTs that are verified without a database query."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import jwt
from marshmallow import ValidationError

from chirpy.accounts.errors import ExpiredAccessToken, InvalidAccessToken
from chirpy.web.uuids import parse_uuid

ISSUER = "chirpy-access"
ALGORITHM = "HS256"
LIFETIME = timedelta(hours=1)


def issue(user_id: UUID, secret: str) -> str:
    """Return a new access token for this user, valid for LIFETIME."""
    now = datetime.now(UTC)
    claims = {"iss": ISSUER, "sub": str(user_id), "iat": now, "exp": now + LIFETIME}
    return jwt.encode(claims, secret, ALGORITHM)


def verify(token: str, secret: str) -> UUID:
    """Return the id of the token's user. Raise ExpiredAccessToken or InvalidAccessToken (401)."""
    try:
        claims = jwt.decode(
            token,
            secret,
            algorithms=[ALGORITHM],
            issuer=ISSUER,
            options={"require": ["iss", "sub", "iat", "exp"]},
        )
        return parse_uuid(claims["sub"])
    except jwt.ExpiredSignatureError:
        raise ExpiredAccessToken from None
    except (jwt.PyJWTError, ValidationError):
        raise InvalidAccessToken from None
