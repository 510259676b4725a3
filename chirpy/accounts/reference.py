"""Describe the routes of accounts for the API reference."""

from marshmallow import fields

from chirpy.accounts import errors, routes
from chirpy.accounts.memberships import membership_query_schema, memberships_schema
from chirpy.accounts.schemas import (
    UserSchema,
    credentials_schema,
    new_credentials_schema,
    user_schema,
)
from chirpy.web.fields import ResponseSchema
from chirpy.web.reference.credentials import ACCESS_TOKEN, REFRESH_TOKEN
from chirpy.web.reference.operations import Answer, Operation, Operations, Refusals, refusal_of

CREDENTIALS = {"email": "walt@example.com", "password": "04234"}
USER = {
    "id": "3311741c-680c-4546-99f3-fc9efac2036c",
    "created_at": "2026-01-31T12:00:00.000000Z",
    "updated_at": "2026-01-31T12:00:00.000000Z",
    "email": "walt@example.com",
    "is_chirpy_red": False,
}
RED = USER | {"is_chirpy_red": True}
TOKEN = {
    "token": "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.e30.4E_Bsx-pJi3kOW9wVXN8CgbATwP09D9V5gxh9-9zSZ0"
}
REFRESH = {"refresh_token": "56aa826d22baab4b5ec2cea41a59ecbba03e542aedbb31d9b80326ac8ffcfa2a"}
NO_BEARER_TOKEN: Refusals = {
    "no token": errors.AuthorizationMissing(),
    "not a Bearer token": errors.AuthorizationMalformed(),
}
NO_ACCESS_TOKEN: Refusals = {
    **NO_BEARER_TOKEN,
    "expired": errors.ExpiredAccessToken(),
    "forged": errors.InvalidAccessToken(),
    "refresh token": errors.AccessTokenRequired(),
    "user deleted": errors.UserGone(),
}
NO_REFRESH_TOKEN: Refusals = {**NO_BEARER_TOKEN, "access token": errors.RefreshTokenRequired()}
INVALID_CREDENTIALS: Refusals = {
    "missing fields": refusal_of(new_credentials_schema.load, {}),
    "no email": refusal_of(new_credentials_schema.load, CREDENTIALS | {"email": "walt"}),
}


class TokenSchema(ResponseSchema):
    """A new access token."""

    token = fields.Str()


class LoginSchema(UserSchema):
    """A user and their tokens."""

    token = fields.Str()
    refresh_token = fields.Str()


OPERATIONS: Operations = {
    routes.sign_up: Operation(
        body=new_credentials_schema,
        bodies={"new user": CREDENTIALS},
        answers={201: Answer("The new user", user_schema, {"new user": USER})},
        refusals={
            **INVALID_CREDENTIALS,
            "email taken": errors.EmailTaken(),
            "too many": errors.TooManySignUps(45),
        },
    ),
    routes.change_user: Operation(
        security=ACCESS_TOKEN,
        body=new_credentials_schema,
        bodies={"new password": CREDENTIALS | {"password": "losHermanos"}},
        answers={200: Answer("The changed user", user_schema, {"changed": USER})},
        refusals={**INVALID_CREDENTIALS, **NO_ACCESS_TOKEN, "email taken": errors.EmailTaken()},
    ),
    routes.log_in: Operation(
        body=credentials_schema,
        bodies={"login": CREDENTIALS},
        answers={200: Answer("User and tokens", LoginSchema(), {"red": RED | TOKEN | REFRESH})},
        refusals={
            "missing fields": refusal_of(credentials_schema.load, {}),
            "wrong password": errors.WrongCredentials(),
            "too many": errors.TooManyFailedLogins(90),
        },
    ),
    routes.refresh: Operation(
        security=REFRESH_TOKEN,
        answers={200: Answer("A new access token", TokenSchema(), {"new token": TOKEN})},
        refusals={**NO_REFRESH_TOKEN, "revoked": errors.InvalidRefreshToken()},
    ),
    routes.revoke: Operation(
        security=REFRESH_TOKEN,
        answers={204: Answer("The token is revoked, or was never issued")},
        refusals=NO_REFRESH_TOKEN,
    ),
    routes.show_memberships: Operation(
        query=membership_query_schema,
        answers={
            200: Answer(
                "The memberships, in the order of the query",
                memberships_schema,
                {"red": [{"user_id": USER["id"], "is_chirpy_red": True}]},
            )
        },
        refusals={"no user": refusal_of(membership_query_schema.load, {"user_id": []})},
    ),
}
