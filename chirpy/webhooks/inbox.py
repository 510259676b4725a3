"""Each event once: a unique constraint tells a repeat, not a look beforehand."""

import json
from hashlib import sha256
from typing import Any

from sqlalchemy import text

from chirpy.database import db
from chirpy.errors import Refused
from chirpy.webhooks import effects
from chirpy.webhooks.schemas import Event

# One statement for the first delivery and for every repeat. Of two at the same moment, the second
# waits here until the first has committed, or was undone. No row comes back when the id stands for
# another meaning.
RECORD = text("""
    INSERT INTO webhook_events AS known
        (event_id, type, user_id, occurred_at, body, fingerprint, outcome)
    VALUES
        (:event_id, :type, :user_id, :occurred_at, :body, :fingerprint, :outcome)
    ON CONFLICT (provider, event_id) DO UPDATE
    SET deliveries = known.deliveries + 1,
        last_delivered_at = greatest(known.last_delivered_at, now())
    WHERE coalesce(known.fingerprint, excluded.fingerprint) = excluded.fingerprint
    RETURNING id, deliveries
""")


def receive(event: Event, body: bytes) -> str:
    """Record one delivery and let its event take effect; returns the outcome.

    `applied`, `duplicate`, `stale` or `ignored`. Raises Refused: 404 unknown user, 409 an id that
    stands for another event.
    """
    event_id = event.event_id or made_id(event)
    record = db.session.execute(RECORD, row(event, event_id, body)).one_or_none()
    if record is None:
        raise another_meaning()
    repeated = record.deliveries > 1
    if repeated and identified(event):
        return "duplicate"
    if event.user_id is None:
        return "ignored"
    effect = effects.apply(
        record.id, event.user_id, effects.EFFECTS[event.type], event_id, event.occurred_at
    )
    return "duplicate" if repeated and not effect.differs else effect.outcome


def row(event: Event, event_id: str, body: bytes) -> dict[str, Any]:
    """The event as the inbox keeps it; the effect has the last word on `outcome`."""
    return {
        "event_id": event_id,
        "type": event.type,
        "user_id": event.user_id,
        "occurred_at": event.occurred_at,
        "body": body.decode(),
        "fingerprint": fingerprint(event),
        "outcome": "ignored" if event.user_id is None else "applied",
    }


def identified(event: Event) -> bool:
    """Whether a second delivery with the same key proves to be a repeat.

    Without an id and a time, upgrade, downgrade, upgrade are three events with two keys: there the
    effect runs each time, and the membership makes it harmless.
    """
    return event.event_id is not None or event.occurred_at is not None


def made_id(event: Event) -> str:
    """A key for an event that came without one, made of all that it says."""
    return f"data:{digest([event.type, meaning(event), str(event.occurred_at)]).hex()}"


def fingerprint(event: Event) -> bytes:
    """SHA-256 of what an event means, however its JSON is written."""
    return digest([event.type, meaning(event)])


def meaning(event: Event) -> Any:
    """The event's data, with the user's id in one spelling."""
    return event.data if event.user_id is None else event.data | {"user_id": str(event.user_id)}


def digest(value: Any) -> bytes:
    """SHA-256 of JSON in one form: sorted keys, no blanks, ASCII."""
    return sha256(json.dumps(value, sort_keys=True, separators=(",", ":")).encode()).digest()


def another_meaning() -> Refused:
    """409 for an id that was used before, for something else; the first event stands."""
    return Refused(
        409,
        "This event id came before, with another meaning",
        hint="Give each event an id of its own; a repeat must say the same as the first",
        fields={"id": "stands for another event"},
    )
