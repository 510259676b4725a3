"""Receive an event: one call of the SQL function in receive_event.sql, which has the whole rule."""

import json
from datetime import datetime
from hashlib import sha256

from sqlalchemy import Select, Text, bindparam, func, select

from chirpy.database.autocommit import run_autocommit
from chirpy.database.errors import violation_raises
from chirpy.database.retries import retry_conflicts
from chirpy.webhooks.errors import EventIdReused, UnknownUser
from chirpy.webhooks.schemas import Event

# Hashes of its output are stored, and a duplicate can arrive years later: it must stay the same.
# It is ASCII, json's default, because a lone surrogate has no UTF-8.
CANONICAL_JSON = json.JSONEncoder(sort_keys=True, separators=(",", ":"))

# In the order of the function's parameters.
PARAMETERS = ("event_id", "made_key", "type", "user_id", "occurred_at", "body", "fingerprint")
RECEIVE: Select[str | None] = select(func.receive_event(*map(bindparam, PARAMETERS), type_=Text()))


@retry_conflicts
def receive_autocommit(event: Event, body: bytes) -> str:
    """Record a delivery, apply its event and commit, in one statement. Return the outcome.

    The outcome is `applied`, `duplicate`, `stale` or `ignored`. Raise UnknownUser (404) or
    EventIdReused (409).
    """
    meaning = canonical_meaning(event)
    delivery = {
        "event_id": event.event_id,
        "made_key": make_key(meaning, event.occurred_at),
        "type": event.type,
        "user_id": event.user_id,
        "occurred_at": event.occurred_at,
        "body": body.decode(),
        "fingerprint": make_fingerprint(meaning),
    }
    with violation_raises("fk_memberships_user_id_users", UnknownUser):
        [[outcome]] = run_autocommit(RECEIVE, delivery)
    if outcome is None:
        raise EventIdReused
    return outcome


def canonical_meaning(event: Event) -> str:
    """Return the JSON array of type and data in one form: sorted keys, no spaces. 1.0 is not 1."""
    data = event.data
    if event.user_id is not None:
        data = data | {"user_id": str(event.user_id)}  # in lower case
    return CANONICAL_JSON.encode([event.type, data])


def make_fingerprint(meaning: str) -> bytes:
    """Return the SHA-256 of an event's meaning."""
    return sha256(meaning.encode()).digest()


def make_key(meaning: str, occurred_at: datetime | None) -> str:
    """Return the key of an event without an id, made of its meaning and time."""
    with_time = f'{meaning[:-1]},"{occurred_at}"]'
    return f"data:{sha256(with_time.encode()).hexdigest()}"
