"""Post, list, show and delete chirps."""

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from chirpy.accounts.authentication import require_user
from chirpy.chirps import idempotency, posting, timeline, wording
from chirpy.chirps.schemas import listing_schema, new_chirp_schema
from chirpy.database.engine import db
from chirpy.web.paging import link_headers
from chirpy.web.request_body import read_json
from chirpy.web.sql_json import array_response, object_response
from chirpy.web.uuids import parse_path_uuid

blueprint = Blueprint("chirps", __name__, url_prefix="/api")


@blueprint.post("/chirps")
def post_chirp() -> ResponseReturnValue:
    """Post a chirp. The request is idempotent only with an Idempotency-Key.

    201 Chirp; 401; 400; 422 when the key was used for another chirp.
    """
    author_id = require_user(request)
    body: str = new_chirp_schema.load(read_json(request))["body"]
    posted = posting.post_autocommit(author_id, body, idempotency.read_key(request))
    headers = {idempotency.REPLAYED_HEADER: "true"} if posted.replayed else {}
    return object_response(posted.json), 201, headers


@blueprint.get("/chirps")
def list_chirps() -> ResponseReturnValue:
    """List a page of chirps, oldest first unless `sort=desc`. 200, `Link` to the next page; 400."""
    chirps, after = timeline.list_page(**listing_schema.load(request.args))
    return array_response(chirps), 200, link_headers(request, after)


@blueprint.get("/chirps/<chirp_id>")
def show_chirp(chirp_id: str) -> ResponseReturnValue:
    """Show one chirp. 200 Chirp; 400 not a UUID; 404."""
    return object_response(posting.find_chirp(parse_path_uuid(chirp_id)))


@blueprint.delete("/chirps/<chirp_id>")
def delete_chirp(chirp_id: str) -> ResponseReturnValue:
    """Delete a chirp of the access token's user. 204; 401, then 404, then 403 not the author."""
    user_id = require_user(request)
    posting.delete_own(parse_path_uuid(chirp_id), user_id)
    db.session.commit()
    return "", 204


@blueprint.post("/validate_chirp")
def validate_chirp() -> ResponseReturnValue:
    """Show how a chirp would be cleaned. 200 `{cleaned_body}`; 400."""
    body: str = new_chirp_schema.load(read_json(request))["body"]
    return {"cleaned_body": wording.clean(body)}
