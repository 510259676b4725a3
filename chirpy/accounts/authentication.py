"""Authenticate requests by the header `Authorization: Bearer …`."""

import re
from uuid import UUID

from flask import Request

from chirpy.accounts import access_tokens, errors
from chirpy.settings import current_settings

BEARER = re.compile(r"Bearer +([A-Za-z0-9._~+/=-]{1,4096})", re.IGNORECASE)  # RFC 6750, 2.1
REFRESH_TOKEN = re.compile(r"[0-9a-f]{64}")


def require_user(request: Request) -> UUID:
    """Return the id of the access token's user. Raise Unauthorized (401)."""
    token = require_bearer_token(request)
    if REFRESH_TOKEN.fullmatch(token):
        raise errors.AccessTokenRequired
    return access_tokens.verify(token, current_settings().jwt_secret)


def require_refresh_token(request: Request) -> str:
    """Return the refresh token, which can be unknown. Raise Unauthorized (401)."""
    token = require_bearer_token(request)
    if token.count(".") == 2:  # the form of a JWT
        raise errors.RefreshTokenRequired
    return token


def require_bearer_token(request: Request) -> str:
    """Return the token of the header `Authorization: Bearer …`. Raise Unauthorized (401)."""
    header = request.headers.get("Authorization", "").strip()
    if not header:
        raise errors.AuthorizationMissing
    if match := BEARER.fullmatch(header):
        return match[1]
    raise errors.AuthorizationMalformed
