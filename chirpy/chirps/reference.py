"""Describe the routes of chirps for the API reference."""

from marshmallow import fields

from chirpy.accounts.reference import NO_ACCESS_TOKEN, USER
from chirpy.chirps import errors, idempotency, routes
from chirpy.chirps.models import MAX_KEY_LENGTH
from chirpy.chirps.schemas import ChirpSchema, chirp_schema, listing_schema, new_chirp_schema
from chirpy.chirps.wording import MAX_CHIRP_LENGTH
from chirpy.web.fields import ResponseSchema
from chirpy.web.paging import NEXT_PAGE
from chirpy.web.reference.credentials import ACCESS_TOKEN
from chirpy.web.reference.operations import Answer, Operation, Operations, refusal_of
from chirpy.web.reference.refusals import INVALID_ID

NEW_CHIRP = {"body": "What a kerfuffle today"}
CHIRP = {
    "id": "94b7e44c-3604-42e3-bef7-ebfcc3efff8f",
    "created_at": "2026-01-31T12:00:00.000000Z",
    "updated_at": "2026-01-31T12:00:00.000000Z",
    "body": "What a **** today",
    "user_id": USER["id"],
}
CHIRP_ID = {"chirp_id": CHIRP["id"]}
KEY = {
    "in": "header",
    "name": idempotency.HEADER,
    "description": (
        "Makes the request idempotent: sent again with the same key, it gets the first chirp "
        "again. A key belongs to one user."
    ),
    "schema": {
        "type": "string",
        "minLength": 1,
        "maxLength": MAX_KEY_LENGTH,
        "pattern": "^[!#-~][ -~]*$",
    },
}
REPLAYED = {"description": "The chirp was posted before", "schema": {"const": "true"}}
CHIRP_REFUSALS = {
    "missing field": refusal_of(new_chirp_schema.load, {}),
    "too long": errors.ChirpTooLong(MAX_CHIRP_LENGTH + 1, MAX_CHIRP_LENGTH),
}
ONE = {**INVALID_ID, "unknown": errors.UnknownChirp()}


class CleanedSchema(ResponseSchema):
    """The body of a chirp after its cleaning."""

    cleaned_body = fields.Str()


OPERATIONS: Operations = {
    routes.post_chirp: Operation(
        security=ACCESS_TOKEN,
        parameters=[KEY],
        body=new_chirp_schema,
        bodies={"chirp": NEW_CHIRP},
        answers={
            201: Answer(
                "The chirp",
                chirp_schema,
                {"chirp": CHIRP},
                headers={idempotency.REPLAYED_HEADER: REPLAYED},
            )
        },
        refusals={
            **CHIRP_REFUSALS,
            **NO_ACCESS_TOKEN,
            "invalid key": errors.InvalidIdempotencyKey(idempotency.HEADER, MAX_KEY_LENGTH),
            "key of another chirp": errors.IdempotencyKeyReused(),
        },
    ),
    routes.list_chirps: Operation(
        query=listing_schema,
        answers={
            200: Answer(
                "A page of chirps",
                ChirpSchema(many=True),
                {"one chirp": [CHIRP], "no chirp": []},
                headers=NEXT_PAGE,
            )
        },
        refusals={"all wrong": refusal_of(listing_schema.load, {"sort": "up", "limit": "0"})},
    ),
    routes.show_chirp: Operation(
        path=CHIRP_ID,
        answers={200: Answer("The chirp", chirp_schema, {"chirp": CHIRP})},
        refusals=ONE,
    ),
    routes.delete_chirp: Operation(
        path=CHIRP_ID,
        security=ACCESS_TOKEN,
        answers={204: Answer("The chirp is deleted")},
        refusals={**NO_ACCESS_TOKEN, **ONE, "of another user": errors.NotTheAuthor()},
    ),
    routes.validate_chirp: Operation(
        body=new_chirp_schema,
        bodies={"chirp": NEW_CHIRP},
        answers={
            200: Answer(
                "The cleaned body", CleanedSchema(), {"cleaned": {"cleaned_body": CHIRP["body"]}}
            )
        },
        refusals=CHIRP_REFUSALS,
        uses_database=False,
    ),
}
