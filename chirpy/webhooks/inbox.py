"""Each event once: a unique constraint tells a repeat, not a look beforehand."""

import json
from hashlib import sha256
from typing import Any

from sqlalchemy import text

from chirpy.errors import Refused
from chirpy.statements import alone
from chirpy.transactions import refusing, retried
from chirpy.webhooks.schemas import EFFECTS, Event

# Hashes of what it writes are stored: they must be the same when an event comes again, years later.
# ASCII, which is json's default, because a lone surrogate has no UTF-8.
CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"))

# The whole transaction; receive_event.sql, in this folder, has what it does.
RECEIVE = text("""
    SELECT receive_event(
        event_id => :event_id, type => :type, user_id => :user_id, occurred_at => :occurred_at,
        body => :body, fingerprint => :fingerprint,
        makes_red => :makes_red, identified => :identified
    )
""")


@retried
def receive(event: Event, body: bytes) -> str:
    """Record one delivery, let its event take effect, COMMIT; returns the outcome.

    `applied`, `duplicate`, `stale` or `ignored`. Raises Refused: 404 unknown user, 409 an id that
    stands for another event.
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
    with refusing("fk_memberships_user_id_users", unknown_user):
        [[outcome]] = alone(RECEIVE, delivery)
    if outcome is None:
        raise another_meaning()
    return str(outcome)


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
    """SHA-256 of a JSON value, in one form."""
    return sha256(CANONICAL.encode(value).encode()).digest()


def unknown_user() -> Refused:
    """404; nothing is kept, so a later delivery counts."""
    return Refused(404, "No such user", fields={"data.user_id": "is nobody's id"})


def another_meaning() -> Refused:
    """409 for an id that was used before, for something else; the first event stands."""
    return Refused(
        409,
        "This event id came before, with another meaning",
        hint="Give each event an id of its own; a repeat must say the same as the first",
        fields={"id": "stands for another event"},
    )
