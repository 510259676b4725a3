"""Access tokens: JWTs that are valid without a look into the database."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import jwt
from marshmallow import ValidationError

from chirpy.web.fields import parse_uuid

ISSUER = "chirpy-access"
ALGORITHM = "HS256"
LIFETIME = timedelta(hours=1)


class InvalidToken(Exception):
    """The access token is not valid. The text says why."""


def issue(user_id: UUID, secret: str) -> str:
    """Return an access token of this user that is valid for LIFETIME."""
    now = datetime.now(UTC)
    claims = {"iss": ISSUER, "sub": str(user_id), "iat": now, "exp": now + LIFETIME}
    return jwt.encode(claims, secret, ALGORITHM)


def read(token: str, secret: str) -> UUID:
    """Return the id of the token's user. Raise InvalidToken."""
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
        raise InvalidToken("The access token has expired") from None
    except (jwt.PyJWTError, ValidationError):
        raise InvalidToken("The access token is not valid") from None
