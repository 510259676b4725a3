"""Whether a delivery is the provider's: every proof that is configured must hold."""

import hmac
import re
from time import time

from flask import Request

from chirpy.errors import Refused
from chirpy.settings import Settings
from chirpy.webhooks import signature
from chirpy.webhooks.schemas import EVENT_ID_HEADER

API_KEY = re.compile(r"ApiKey +([!-~]+)", re.IGNORECASE)


def require(request: Request, body: bytes, settings: Settings) -> None:
    """Raise Refused, 401 with one text for all reasons, unless the delivery proves itself."""
    if settings.polka_key is not None:
        require_api_key(request, settings.polka_key)
    if settings.polka_webhook_secrets:
        require_signature(request, body, settings.polka_webhook_secrets)


def require_api_key(request: Request, key: str) -> None:
    """Compare the header `Authorization: ApiKey …`, in constant time."""
    match = API_KEY.fullmatch(request.headers.get("Authorization", "").strip())
    given = match[1] if match else ""
    if not hmac.compare_digest(given.encode(), key.encode()):  # bytes: text must be ASCII
        raise unproven("wrong ApiKey" if match else "no ApiKey")


def require_signature(request: Request, body: bytes, keys: tuple[bytes, ...]) -> None:
    """Verify the three headers of Standard Webhooks over the raw body."""
    event_id = request.headers.get("webhook-id", "")
    if not EVENT_ID_HEADER.fullmatch(event_id):
        raise unproven("no webhook-id, or a malformed one")
    try:
        signature.verify(
            event_id=event_id,
            timestamp=request.headers.get("webhook-timestamp", ""),
            signatures=request.headers.get("webhook-signature", ""),
            body=body,
            keys=keys,
            now=time(),
        )
    except signature.InvalidSignature as problem:
        raise unproven(str(problem)) from None


def unproven(reason: str) -> Refused:
    """401 that tells a stranger nothing about what was wrong; the log has the reason."""
    return Refused(
        401,
        "This delivery does not prove that it is Polka's",
        hint="Send `Authorization: ApiKey <key>` (not Bearer) and the signature agreed on",
        headers={"WWW-Authenticate": 'ApiKey realm="polka"'},
        reason=reason,
    )
