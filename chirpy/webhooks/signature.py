"""Sign and verify deliveries as in Standard Webhooks 1.0.0.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import hmac
import re
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator
from itertools import product

TOLERANCE = 300  # seconds, both ways
MAX_SIGNATURES = 8  # in one header; a key rotation needs 2
TIMESTAMP = re.compile(r"[1-9][0-9]{0,10}")  # whole seconds; int() alone also takes 1_700 and +1


class InvalidSignature(Exception):
    """The signature is not valid. The text is the reason, for the log and not for the sender."""


class InvalidTime(InvalidSignature):
    """The delivery was signed too long ago, or in the future."""


def sign(*, event_id: str, timestamp: str, body: bytes, key: bytes) -> str:
    """Return the header `webhook-signature` for `body` and the two other headers."""
    digest = hmac.digest(key, signed_content(event_id, timestamp, body), "sha256")
    return f"v1,{b64encode(digest).decode()}"


def signed_headers(*, event_id: str, body: bytes, key: bytes, now: float) -> dict[str, str]:
    """Return the three headers of a delivery that is sent `now`, in seconds since 1970."""
    timestamp = str(int(now))
    signature = sign(event_id=event_id, timestamp=timestamp, body=body, key=key)
    named = {"id": event_id, "timestamp": timestamp, "signature": signature}
    return {f"webhook-{name}": value for name, value in named.items()}


def verify(
    *,
    event_id: str,
    timestamp: str,
    signatures: str,
    body: bytes,
    keys: Iterable[bytes],
    now: float,
) -> None:
    """Raise InvalidSignature unless one of `keys` made one of `signatures`.

    `event_id`, `timestamp` and `signatures` are the headers as received. `now` is in seconds since
    1970.
    """
    if not TIMESTAMP.fullmatch(timestamp):
        raise InvalidSignature("webhook-timestamp is missing or malformed")
    if abs(now - int(timestamp)) > TOLERANCE:
        raise InvalidTime("webhook-timestamp is more than 5 minutes off")
    content = signed_content(event_id, timestamp, body)
    expected = [hmac.digest(key, content, "sha256") for key in keys]
    received = list(decode(signatures))
    # All pairs are compared, so that the time does not show which one matched.
    matches = [hmac.compare_digest(*pair) for pair in product(expected, received)]
    if not any(matches):
        raise InvalidSignature("no signature matches")


def signed_content(event_id: str, timestamp: str, body: bytes) -> bytes:
    """Return what is signed: the id, the time and the raw body, joined by dots."""
    return b".".join((event_id.encode(), timestamp.encode(), body))


def decode(signatures: str) -> Iterator[bytes]:
    """Yield the v1 signatures in a header. Spaces separate them. Raise InvalidSignature."""
    if signatures.count(" ") >= MAX_SIGNATURES:
        raise InvalidSignature("too many signatures")
    for signature in signatures.split(" "):
        version, _, encoded = signature.partition(",")
        if version == "v1":
            try:
                yield b64decode(encoded, validate=True)
            except ValueError:
                raise InvalidSignature("a signature is not base64") from None
