"""Authenticate requests by the header `Authorization: Bearer …`."""

import re
from uuid import UUID

from flask import Request

from chirpy.accounts import access_tokens
from chirpy.accounts.errors import Unauthorized
from chirpy.settings import current_settings

BEARER = re.compile(r"Bearer +([A-Za-z0-9._~+/=-]{1,4096})", re.IGNORECASE)  # RFC 6750, 2.1
REFRESH_TOKEN = re.compile(r"[0-9a-f]{64}")


def require_user(request: Request) -> UUID:
    """Return the id of the access token's user. Raise Unauthorized (401)."""
    token = require_bearer_token(request)
    if REFRESH_TOKEN.fullmatch(token):
        raise Unauthorized(
            "This is a refresh token", hint="Send the access token, which is `token` in the login"
        )
    try:
        return access_tokens.read(token, current_settings().jwt_secret)
    except access_tokens.InvalidToken as error:
        raise Unauthorized(str(error), hint="Get a new one at POST /api/refresh") from None


def require_refresh_token(request: Request) -> str:
    """Return the refresh token, known or unknown. Raise Unauthorized (401)."""
    token = require_bearer_token(request)
    if token.count(".") == 2:
        raise Unauthorized("This is an access token", hint="Send the `refresh_token` of the login")
    return token


def require_bearer_token(request: Request) -> str:
    """Return the token of the header `Authorization: Bearer …`. Raise Unauthorized (401)."""
    header = request.headers.get("Authorization", "").strip()
    if match := BEARER.fullmatch(header):
        return match[1]
    raise Unauthorized(
        "The Authorization header is malformed"
        if header
        else "The Authorization header is missing",
        hint="Send one header `Authorization: Bearer <token>`",
    )
