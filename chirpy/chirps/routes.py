"""Post, list, show and delete chirps."""

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from chirpy import answers
from chirpy.accounts import guard
from chirpy.chirps import chirping, idempotency, timeline, wording
from chirpy.chirps.schemas import listing, new_chirp
from chirpy.database import db
from chirpy.fields import uuid_in_path
from chirpy.paging import links
from chirpy.reading import read_json

blueprint = Blueprint("chirps", __name__, url_prefix="/api")


@blueprint.post("/chirps")
def post_chirp() -> ResponseReturnValue:
    """Post a chirp; not idempotent, unless an Idempotency-Key says which repeats are the same.

    201 Chirp; 401; 400; 422 when the key stood for another chirp.
    """
    author_id = guard.require_user(request)
    body = new_chirp.load(read_json(request))["body"]
    chirp, replayed = chirping.post(author_id, body, idempotency.key_of(request))
    headers = {idempotency.REPLAYED: "true"} if replayed else {}
    return answers.one(chirp), 201, headers


@blueprint.get("/chirps")
def list_chirps() -> ResponseReturnValue:
    """A page of chirps, oldest first unless `sort=desc`; `Link` leads to the next. 200; 400."""
    wanted = listing.load(request.args)
    chirps, after = timeline.page(**wanted)
    return answers.several(chirps), 200, links(request, after)


@blueprint.get("/chirps/<chirp_id>")
def show_chirp(chirp_id: str) -> ResponseReturnValue:
    """One chirp. 200 Chirp; 400 not a UUID; 404."""
    return answers.one(chirping.find(uuid_in_path(chirp_id)))


@blueprint.delete("/chirps/<chirp_id>")
def delete_chirp(chirp_id: str) -> ResponseReturnValue:
    """Take a chirp of one's own back. 204; 401, then 404, then 403 when it is somebody else's."""
    user_id = guard.require_user(request)
    chirping.delete_own(uuid_in_path(chirp_id), user_id)
    db.session.commit()
    return "", 204


@blueprint.post("/validate_chirp")
def validate_chirp() -> ResponseReturnValue:
    """How a chirp would be cleaned. 200 `{cleaned_body}`; 400."""
    return {"cleaned_body": wording.clean(new_chirp.load(read_json(request))["body"])}
