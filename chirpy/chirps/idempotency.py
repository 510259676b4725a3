"""The header `Idempotency-Key`: a repeated request creates no second chirp.

See draft-ietf-httpapi-idempotency-key-header-07. A key without quotes is accepted too, because many
clients send it so.
"""

import re
from hashlib import sha256

from flask import Request

from chirpy.chirps.errors import InvalidIdempotencyKey
from chirpy.chirps.models import MAX_KEY_LENGTH

HEADER = "Idempotency-Key"
REPLAYED_HEADER = "Idempotency-Replayed"
QUOTED = re.compile(r'"((?:[ !#-\[\]-~]|\\["\\])*)"')  # an RFC 8941 string
BARE = re.compile(r"[ !#-~][ -~]*")


def read_key(request: Request) -> str | None:
    """Return the key without its quotes, or None. Raise InvalidIdempotencyKey (400)."""
    header = request.headers.get(HEADER)
    if header is None:
        return None
    if quoted := QUOTED.fullmatch(header):
        key = re.sub(r"\\(.)", r"\1", quoted[1])
    else:
        key = header if BARE.fullmatch(header) else ""
    if not 1 <= len(key) <= MAX_KEY_LENGTH:
        raise InvalidIdempotencyKey(HEADER, MAX_KEY_LENGTH)
    return key


def fingerprint(body: str) -> bytes:
    """Return the SHA-256 of a body before cleaning. A repeated request must have the same."""
    return sha256(body.encode()).digest()
