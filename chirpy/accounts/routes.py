"""Sign up, change, log in, refresh, revoke."""

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from chirpy.accounts import guard, passwords, sessions, tokens, users
from chirpy.accounts.schemas import credentials, new_credentials, shown
from chirpy.database import db
from chirpy.reading import read_json
from chirpy.settings import current_settings

blueprint = Blueprint("accounts", __name__, url_prefix="/api")


@blueprint.post("/users")
def sign_up() -> ResponseReturnValue:
    """Make a user. 201 User; 400; 409 when the email is taken."""
    given = new_credentials.load(read_json(request))
    user = users.sign_up(given["email"], passwords.hashed(given["password"]))
    db.session.commit()
    return shown(user), 201


@blueprint.put("/users")
def change_user() -> ResponseReturnValue:
    """Give the user of the access token another email and password. 200 User; 401; 400; 409."""
    user_id = guard.require_user(request)
    given = new_credentials.load(read_json(request))
    user = users.change(user_id, given["email"], passwords.hashed(given["password"]))
    if user is None:
        raise guard.user_gone()
    db.session.commit()
    return shown(user)


@blueprint.post("/login")
def log_in() -> ResponseReturnValue:
    """Start a session. 200 User, `token` and `refresh_token`; 401 for whatever does not fit."""
    given = credentials.load(read_json(request))
    user = users.find(given["email"])
    stored = None if user is None else user.hashed_password
    if not passwords.matches(given["password"], stored) or user is None:
        raise guard.wrong_credentials()
    if passwords.is_outdated(user.hashed_password):
        users.renew_hash(user, passwords.hashed(given["password"]))
    refresh_token = sessions.start(user.id)
    token = tokens.issue_access(user.id, current_settings().jwt_secret)
    db.session.commit()
    return shown(user) | {"token": token, "refresh_token": refresh_token}


@blueprint.post("/refresh")
def refresh() -> ResponseReturnValue:
    """A new access token for a refresh token. 200 `{token}`; 401 unknown, expired or revoked."""
    user_id = sessions.user_of(guard.require_refresh_token(request))
    if user_id is None:
        raise guard.unauthorized("Unknown, expired or revoked refresh token", "POST /api/login")
    return {"token": tokens.issue_access(user_id, current_settings().jwt_secret)}


@blueprint.post("/revoke")
def revoke() -> ResponseReturnValue:
    """End the session of a refresh token, known or not. 204; 401 when none came along."""
    sessions.end(guard.require_refresh_token(request))
    db.session.commit()
    return "", 204
