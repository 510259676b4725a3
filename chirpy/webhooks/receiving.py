"""Receive each event once. A unique constraint detects a duplicate, not a look-up beforehand."""

import json
from hashlib import sha256
from typing import Any

from sqlalchemy import Select, Text, bindparam, func, select

from chirpy.database.autocommit import run_autocommit
from chirpy.database.errors import violation_raises
from chirpy.database.retries import retry_conflicts
from chirpy.webhooks.errors import EventIdReused, UnknownUser
from chirpy.webhooks.schemas import EFFECTS, Event

# Hashes of its output are stored, so it must stay the same: a duplicate can come years later.
# ASCII, which is json's default, because a lone surrogate has no UTF-8.
CANONICAL_JSON = json.JSONEncoder(sort_keys=True, separators=(",", ":"))

# The parameters of the SQL function in receive_event.sql, in its order.
PARAMETERS = (
    "event_id",
    "type",
    "user_id",
    "occurred_at",
    "body",
    "fingerprint",
    "makes_red",
    "identified",
)
RECEIVE: Select[str | None] = select(func.receive_event(*map(bindparam, PARAMETERS), type_=Text()))


@retry_conflicts
def receive_autocommit(event: Event, body: bytes) -> str:
    """Record a delivery, apply its event and commit, in one statement. Return the outcome.

    The outcome is `applied`, `duplicate`, `stale` or `ignored`. Raise UnknownUser (404) or
    EventIdReused (409).
    """
    delivery = {
        "event_id": event.event_id or made_id(event),
        "type": event.type,
        "user_id": event.user_id,
        "occurred_at": event.occurred_at,
        "body": body.decode(),
        "fingerprint": fingerprint(event),
        "makes_red": EFFECTS.get(event.type),
        "identified": identified(event),
    }
    with violation_raises("fk_memberships_user_id_users", UnknownUser):
        [[outcome]] = run_autocommit(RECEIVE, delivery)
    if outcome is None:
        raise EventIdReused
    return outcome


def identified(event: Event) -> bool:
    """Return whether a second delivery with the same key proves to be a duplicate.

    Without an id and a time, upgrade, downgrade, upgrade are three events with two keys. There the
    effect runs each time, and the membership decides whether it changes anything.
    """
    return event.event_id is not None or event.occurred_at is not None


def made_id(event: Event) -> str:
    """Return a key for an event without an id, made of its content."""
    return f"data:{digest([event.type, meaning(event), str(event.occurred_at)]).hex()}"


def fingerprint(event: Event) -> bytes:
    """Return the SHA-256 of the event's meaning, however its JSON is written."""
    return digest([event.type, meaning(event)])


def meaning(event: Event) -> Any:
    """Return the event's data, with the user's id in lower case."""
    return event.data if event.user_id is None else event.data | {"user_id": str(event.user_id)}


def digest(value: Any) -> bytes:
    """Return the SHA-256 of the canonical JSON of `value`."""
    return sha256(CANONICAL_JSON.encode(value).encode()).digest()
