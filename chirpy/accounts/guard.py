"""Who is asking: the `Authorization` header, and hints for those who got it wrong."""

import re
from uuid import UUID

from flask import Request

from chirpy.accounts import tokens
from chirpy.errors import Refused
from chirpy.settings import current_settings

BEARER = re.compile(r"Bearer +([A-Za-z0-9._~+/=-]{1,4096})", re.IGNORECASE)  # RFC 6750, 2.1
REFRESH = re.compile(r"[0-9a-f]{64}")


def require_user(request: Request) -> UUID:
    """The id of the user whose access token came along. Raises Refused, 401."""
    token = require_bearer(request)
    if REFRESH.fullmatch(token):
        raise unauthorized("This is a refresh token", "Send the access token, `token` of the login")
    try:
        return tokens.read_access(token, current_settings().jwt_secret)
    except tokens.InvalidToken as problem:
        raise unauthorized(str(problem), "Get a new one at POST /api/refresh") from None


def require_refresh_token(request: Request) -> str:
    """The refresh token that came along, known or not. Raises Refused, 401."""
    token = require_bearer(request)
    if token.count(".") == 2:
        raise unauthorized("This is an access token", "Send the `refresh_token` of the login")
    return token


def require_bearer(request: Request) -> str:
    """The token of the one header `Authorization: Bearer …`. Raises Refused, 401."""
    header = request.headers.get("Authorization", "").strip()
    if match := BEARER.fullmatch(header):
        return match[1]
    problem = "The Authorization header is malformed" if header else "No Authorization header"
    raise unauthorized(problem, "Send one header `Authorization: Bearer <token>`")


def unauthorized(error: str, hint: str) -> Refused:
    """401, with the challenge that RFC 9110, 15.5.2 asks for."""
    return Refused(401, error, hint=hint, headers={"WWW-Authenticate": 'Bearer realm="chirpy"'})


def wrong_credentials() -> Refused:
    """401 with one text, whether the password is wrong or nobody has this email."""
    return unauthorized("Incorrect email or password", "No account yet? POST /api/users")


def user_gone() -> Refused:
    """401 for an access token that has outlived its user."""
    return unauthorized("The user of this access token is gone", "Sign up at POST /api/users")
