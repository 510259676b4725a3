"""The meaning of an event: its fingerprint, and the key of an event without an id.

Both are hashes of JSON in one form: sorted keys, no spaces, numbers of equal value written alike
(`chirpy.web.strict_json` reads 1, 1.0 and 1e0 as one number), a user's id in lower case, the time
in UTC. They are stored, and a duplicate can arrive years later: they must stay the same.
"""

import json
from hashlib import sha256
from typing import Any

from chirpy.webhooks.schemas import Event, read_event

# ASCII, json's default, because a lone surrogate has no UTF-8.
CANONICAL_JSON = json.JSONEncoder(sort_keys=True, separators=(",", ":"))


def digest(value: Any) -> bytes:
    """Return the SHA-256 of a JSON value."""
    return sha256(CANONICAL_JSON.encode(value).encode()).digest()


def make_fingerprint(event: Event) -> bytes:
    """Return the hash of an event's type and data, which one id has in all deliveries."""
    return digest([event.type, event.data])


def make_old_fingerprint(body: bytes) -> bytes:
    """Return what was stored until migration 0010, when 1.0 was another number than 1."""
    return make_fingerprint(read_event(json.loads(body), None))


def make_key(event: Event) -> str:
    """Return the key of an event without an id: the hash of its whole body.

    It is less than the keys that were made until migration 0010, `data:…`. So a duplicate of a
    dated event that was stored with such a key does not count as later than that event.
    """
    return f"body:{digest(event.content).hex()}"
