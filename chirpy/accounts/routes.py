"""Sign up, change a user, log in, refresh and revoke tokens, show memberships."""

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from chirpy.accounts import access_tokens, attempts, passwords, refresh_tokens, users
from chirpy.accounts.authentication import require_refresh_token, require_user
from chirpy.accounts.change import change_credentials
from chirpy.accounts.errors import WrongCredentials
from chirpy.accounts.login import verify_credentials
from chirpy.accounts.memberships import list_memberships, membership_query_schema
from chirpy.accounts.schemas import (
    Credentials,
    credentials_schema,
    dump_user,
    new_credentials_schema,
)
from chirpy.database.engine import db
from chirpy.settings import current_settings
from chirpy.web.client_network import client_network
from chirpy.web.request_body import read_json
from chirpy.web.security_headers import forbid_storing

blueprint = Blueprint("accounts", __name__, url_prefix="/api")
blueprint.after_request(forbid_storing)


@blueprint.post("/users")
def sign_up() -> ResponseReturnValue:
    """Create a user. 201 User; 400; 409 when the email is taken; 429."""
    credentials: Credentials = new_credentials_schema.load(read_json(request))
    attempts.count_sign_up_autocommit(client_network(request), current_settings())
    hashed_password = passwords.hash_password(credentials.password)
    user = users.create(credentials.email, hashed_password)
    db.session.commit()
    return dump_user(user), 201


@blueprint.put("/users")
def change_user() -> ResponseReturnValue:
    """Change the email and password of the access token's user. 200 User; 401; 400; 409.

    Another password revokes all refresh tokens of the user.
    """
    user_id = require_user(request)
    credentials: Credentials = new_credentials_schema.load(read_json(request))
    user = change_credentials(user_id, credentials.email, credentials.password)
    db.session.commit()
    return dump_user(user)


@blueprint.post("/login")
def log_in() -> ResponseReturnValue:
    """Issue an access token and a refresh token. 200 User, `token` and `refresh_token`; 401; 429.

    Only failed logins count, so guessing passwords locks no user out.
    """
    email, password = credentials_schema.load(read_json(request))
    try:
        user, verified_hash = verify_credentials(email, password)
    except WrongCredentials:
        attempts.count_failed_login_autocommit(email, client_network(request), current_settings())
        raise
    refresh_token = refresh_tokens.issue(user.id, verified_hash)
    token = access_tokens.issue(user.id, current_settings().jwt_secret)
    db.session.commit()
    return dump_user(user) | {"token": token, "refresh_token": refresh_token}


@blueprint.post("/refresh")
def refresh() -> ResponseReturnValue:
    """Issue a new access token. 200 `{token}`; 401 unknown, expired or revoked refresh token."""
    user_id = refresh_tokens.find_user_id(require_refresh_token(request))
    return {"token": access_tokens.issue(user_id, current_settings().jwt_secret)}


@blueprint.post("/revoke")
def revoke() -> ResponseReturnValue:
    """Revoke a refresh token. 204, also for an unknown one; 401 when the header is missing."""
    refresh_tokens.revoke(require_refresh_token(request))
    db.session.commit()
    return "", 204


@blueprint.get("/memberships")
def show_memberships() -> ResponseReturnValue:
    """Show which of up to 100 users are Chirpy Red. 200 `[{user_id, is_chirpy_red}]`; 400."""
    query = {"user_id": request.args.getlist("user_id")}
    return list_memberships(membership_query_schema.load(query)["user_id"])
