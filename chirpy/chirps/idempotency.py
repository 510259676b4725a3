"""The header `Idempotency-Key`: a request sent again for want of an answer acts only once.

draft-ietf-httpapi-idempotency-key-header-07, with the key also taken bare, as many clients send it.
"""

import re
from hashlib import sha256

from flask import Request

from chirpy.chirps.models import LONGEST_KEY
from chirpy.errors import Refused

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
QUOTED = re.compile(r'"((?:[ !#-\[\]-~]|\\["\\])*)"')  # an RFC 8941 string
BARE = re.compile(r"[ !#-~][ -~]*")


def key_of(request: Request) -> str | None:
    """The key that came along, without its quotes. Raises Refused, 400, when it is malformed."""
    header = request.headers.get(HEADER)
    if header is None:
        return None
    if quoted := QUOTED.fullmatch(header):
        key = re.sub(r"\\(.)", r"\1", quoted[1])
    else:
        key = header if BARE.fullmatch(header) else ""
    if not 1 <= len(key) <= LONGEST_KEY:
        raise malformed()
    return key


def fingerprint(posted: str) -> bytes:
    """What tells whether a second request means the same as the first."""
    return sha256(posted.encode()).digest()


def malformed() -> Refused:
    """400 for a key out of bounds."""
    problem = f"must have 1 to {LONGEST_KEY} printable ASCII characters"
    return Refused(400, f"The header {HEADER} {problem}", fields={HEADER: problem})


def reused() -> Refused:
    """422 for a key that stands for another chirp already."""
    return Refused(
        422,
        f"This {HEADER} was used for another chirp",
        hint="Take a new key for each new chirp, and the same key only to repeat one",
    )
