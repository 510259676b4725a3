"""The credentials that routes require, as security schemes of OpenAPI."""

from collections.abc import Mapping, Sequence

BEARER = {"type": "http", "scheme": "bearer"}
SCHEMES = {
    "accessToken": BEARER
    | {
        "bearerFormat": "JWT",
        "description": "The `token` from POST /api/login. It is valid for one hour.",
    },
    "refreshToken": BEARER
    | {"description": "The `refresh_token` from POST /api/login. It is valid for 60 days."},
    "polkaKey": {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": "`ApiKey`, a space, and the POLKA_KEY of the settings.",
    },
    "webhookSignature": {
        "type": "apiKey",
        "in": "header",
        "name": "webhook-signature",
        "description": (
            "`v1,` and a signature of `id.timestamp.body` with one of POLKA_WEBHOOK_SECRETS, as in "
            "Standard Webhooks 1.0.0. The id and the timestamp are two more headers."
        ),
    },
}
Security = Sequence[Mapping[str, list[str]]]  # alternatives
ACCESS_TOKEN: Security = [{"accessToken": []}]
REFRESH_TOKEN: Security = [{"refreshToken": []}]
# Those that the settings name are required.
POLKA: Security = [
    {"polkaKey": []},
    {"webhookSignature": []},
    {"polkaKey": [], "webhookSignature": []},
]
