"""Standard Webhooks 1.0.0: who sent these bytes, and that they are the ones sent.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import hmac
import re
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Iterable, Iterator

TOLERANCE = 300  # seconds, both ways
MOST_SIGNATURES = 8  # in one header; more than a key rotation needs
TIMESTAMP = re.compile(r"[1-9][0-9]{0,10}")  # whole seconds; int() alone also takes 1_700 and +1


class InvalidSignature(Exception):
    """The signature does not hold; the text says why, for the log and not for the sender."""


def sign(*, event_id: str, timestamp: str, body: bytes, key: bytes) -> str:
    """The header `webhook-signature` for `body`, sent with these two other headers."""
    made = hmac.digest(key, signed_content(event_id, timestamp, body), "sha256")
    return f"v1,{b64encode(made).decode()}"


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

    `event_id`, `timestamp` and `signatures` are the headers as they came; `now` is in seconds
    since 1970.
    """
    if not TIMESTAMP.fullmatch(timestamp) or abs(now - int(timestamp)) > TOLERANCE:
        raise InvalidSignature("no webhook-timestamp, or one more than 5 minutes off")
    content = signed_content(event_id, timestamp, body)
    expected = [hmac.digest(key, content, "sha256") for key in keys]
    given = list(decode(signatures))
    # Every pair is compared, so that the time taken does not tell which one matched.
    matches = [hmac.compare_digest(mine, theirs) for mine in expected for theirs in given]
    if not any(matches):
        raise InvalidSignature("no signature matches")


def signed_content(event_id: str, timestamp: str, body: bytes) -> bytes:
    """What is signed: the id, the time and the raw body, with dots between them."""
    return b".".join((event_id.encode(), timestamp.encode(), body))


def decode(signatures: str) -> Iterator[bytes]:
    """The v1 signatures among those that a header lists, apart by blanks."""
    listed = signatures.split(" ")
    if len(listed) > MOST_SIGNATURES:
        raise InvalidSignature("too many signatures")
    for signature in listed:
        version, _, encoded = signature.partition(",")
        if version == "v1":
            try:
                yield b64decode(encoded, validate=True)
            except (Base64Error, ValueError):
                raise InvalidSignature("a signature is not base64") from None
