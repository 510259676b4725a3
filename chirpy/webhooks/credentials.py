"""Verify that a delivery comes from the provider. All configured credentials are required."""

import hmac
import re
from time import time

from flask import Request

from chirpy.settings import Settings
from chirpy.web.awaited_bodies import BodyAwaited
from chirpy.web.request_body import read_body
from chirpy.webhooks import signature
from chirpy.webhooks.errors import NotFromPolka, WrongKey, WrongSignature, WrongTime
from chirpy.webhooks.schemas import EVENT_ID_HEADER

KEY_HINT = (
    "Send `Authorization: ApiKey <key>` (not Bearer), and compare the key with POLKA_KEY in .env"
)
SIGNATURE_HINT = "Sign each attempt with one of POLKA_WEBHOOK_SECRETS in .env and the current time"
API_KEY = re.compile(r"ApiKey +([!-~]+)", re.IGNORECASE)


def read_verified_body(request: Request, settings: Settings) -> bytes:
    """Return the body of a delivery with the right credentials.

    Raise Refused: 401 with one text for all reasons, or what `read_body` raises. While the body has
    not arrived, the key is verified first: a stranger does not make the server wait.
    """
    try:
        body = read_body(request)
    except BodyAwaited:
        verify(request, None, settings)
        raise
    verify(request, body, settings)
    return body


def verify(request: Request, body: bytes | None, settings: Settings) -> None:
    """Raise NotFromPolka (401) unless the key and, of a given body, the signature are right."""
    try:
        if settings.polka_key is not None:
            verify_api_key(request, settings.polka_key)
        if settings.polka_webhook_secrets and body is not None:
            verify_signature(request, body, settings.polka_webhook_secrets)
    except NotFromPolka as error:
        error.hint = hint_for(settings)
        raise


def hint_for(settings: Settings) -> str:
    """Return how to send every credential that these settings require."""
    required = {KEY_HINT: settings.polka_key, SIGNATURE_HINT: settings.polka_webhook_secrets}
    return ". ".join(hint for hint, value in required.items() if value)


def verify_api_key(request: Request, key: str) -> None:
    """Compare the key in `Authorization: ApiKey …` in constant time. Raise WrongKey (401)."""
    match = API_KEY.fullmatch(request.headers.get("Authorization", "").strip())
    given = match[1] if match else ""
    if not hmac.compare_digest(given.encode(), key.encode()):  # bytes, because text must be ASCII
        raise WrongKey(reason="wrong ApiKey" if match else "no ApiKey")


def verify_signature(request: Request, body: bytes, keys: tuple[bytes, ...]) -> None:
    """Verify the three headers of Standard Webhooks over the raw body.

    Raise WrongSignature or WrongTime (401).
    """
    event_id = request.headers.get("webhook-id", "")
    if not EVENT_ID_HEADER.fullmatch(event_id):
        raise WrongSignature(reason="webhook-id is missing or malformed")
    try:
        signature.verify(
            event_id=event_id,
            timestamp=request.headers.get("webhook-timestamp", ""),
            signatures=request.headers.get("webhook-signature", ""),
            body=body,
            keys=keys,
            now=time(),
        )
    except signature.InvalidTime as error:
        raise WrongTime(reason=str(error)) from None
    except signature.InvalidSignature as error:
        raise WrongSignature(reason=str(error)) from None
