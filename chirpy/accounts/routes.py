"""Sign up, change a user, log in, refresh, revoke."""

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from chirpy.accounts import access_tokens, passwords, refresh_tokens, users
from chirpy.accounts.authentication import require_refresh_token, require_user
from chirpy.accounts.errors import Unauthorized, UserGone, WrongCredentials
from chirpy.accounts.schemas import credentials_schema, dump_user, new_credentials_schema
from chirpy.database.engine import db
from chirpy.settings import current_settings
from chirpy.web.request_body import read_json

blueprint = Blueprint("accounts", __name__, url_prefix="/api")


@blueprint.post("/users")
def sign_up() -> ResponseReturnValue:
    """Create a user. 201 User; 400; 409 when the email is taken."""
    given = new_credentials_schema.load(read_json(request))
    user = users.create(given["email"], passwords.hash_password(given["password"]))
    db.session.commit()
    return dump_user(user), 201


@blueprint.put("/users")
def change_user() -> ResponseReturnValue:
    """Change the email and password of the access token's user. 200 User; 401; 400; 409."""
    user_id = require_user(request)
    given = new_credentials_schema.load(read_json(request))
    user = users.change(user_id, given["email"], passwords.hash_password(given["password"]))
    if user is None:
        raise UserGone
    db.session.commit()
    return dump_user(user)


@blueprint.post("/login")
def log_in() -> ResponseReturnValue:
    """Issue an access token and a refresh token. 200 User, `token` and `refresh_token`; 401."""
    given = credentials_schema.load(read_json(request))
    user = users.find(given["email"])
    stored = None if user is None else user.hashed_password
    if not passwords.matches(given["password"], stored) or user is None:
        raise WrongCredentials
    if passwords.is_outdated(user.hashed_password):
        users.replace_hash(user, passwords.hash_password(given["password"]))
    refresh_token = refresh_tokens.issue(user.id)
    token = access_tokens.issue(user.id, current_settings().jwt_secret)
    db.session.commit()
    return dump_user(user) | {"token": token, "refresh_token": refresh_token}


@blueprint.post("/refresh")
def refresh() -> ResponseReturnValue:
    """Issue a new access token. 200 `{token}`; 401 unknown, expired or revoked refresh token."""
    user_id = refresh_tokens.find_user(require_refresh_token(request))
    if user_id is None:
        raise Unauthorized(
            "The refresh token is unknown, expired or revoked", hint="Log in at POST /api/login"
        )
    return {"token": access_tokens.issue(user_id, current_settings().jwt_secret)}


@blueprint.post("/revoke")
def revoke() -> ResponseReturnValue:
    """Revoke a refresh token, known or unknown. 204; 401 when the header is missing."""
    refresh_tokens.revoke(require_refresh_token(request))
    db.session.commit()
    return "", 204
