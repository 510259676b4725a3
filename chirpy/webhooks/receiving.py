"""Receive an event: one call of the SQL function in receive_event.sql, which has the whole rule."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from psycopg2.errors import ForeignKeyViolation
from sqlalchemy import Select, Text, bindparam, func, select

from chirpy.database.autocommit import run_autocommit
from chirpy.database.autocommit_pool import autocommit_pool
from chirpy.database.errors import violation_raises
from chirpy.database.retries import retry_conflicts
from chirpy.database.slots import SlotsByKey
from chirpy.web.overloaded import Overloaded
from chirpy.webhooks.errors import EventIdReused, UnknownUser
from chirpy.webhooks.meaning import make_fingerprint, make_key, make_old_fingerprint
from chirpy.webhooks.schemas import Event

# In the order of the function's parameters.
PARAMETERS = ("event_id", "made_key", "type", "user_id", "occurred_at", "body", "fingerprint")
SLOTS = SlotsByKey()  # of each user
MAX_WAIT = 0.3  # seconds for a slot; bursts of duplicates are fast
RECEIVE: Select[str | None] = select(func.receive_event(*map(bindparam, PARAMETERS), type_=Text()))


@retry_conflicts
def receive_autocommit(event: Event, body: bytes) -> str:
    """Record a delivery, apply its event and commit, in one statement. Return the outcome.

    The outcome is `applied`, `duplicate`, `stale` or `ignored`. Raise UnknownUser (404) or
    EventIdReused (409).
    """
    delivery = {
        "event_id": event.event_id,
        "made_key": make_key(event) if event.event_id is None else None,
        "type": event.type,
        "user_id": event.user_id,
        "occurred_at": event.occurred_at,
        "body": body.decode(),
        "fingerprint": make_fingerprint(event),
    }
    outcome = call_receive_event(delivery)
    if outcome is None and (old := make_old_fingerprint(body)) != delivery["fingerprint"]:
        outcome = call_receive_event(delivery | {"fingerprint": old})
    if outcome is None:
        raise EventIdReused
    return outcome


def call_receive_event(delivery: Mapping[str, Any]) -> str | None:
    """Call the SQL function. Return None if the key has another fingerprint."""
    with (
        violation_raises(ForeignKeyViolation, "memberships", UnknownUser),
        deliveries_of(delivery["user_id"]),
    ):
        [[outcome]] = run_autocommit(RECEIVE, delivery)
    return outcome


@contextmanager
def deliveries_of(user_id: UUID | None) -> Iterator[None]:
    """Let at most half of the connections deliver to one user, whose rows may be locked.

    Raise Overloaded (503).
    """
    if user_id is None:
        yield
        return
    slots = SLOTS.slots(user_id, max(1, autocommit_pool().size // 2))
    if not slots.acquire(MAX_WAIT):
        raise Overloaded
    try:
        yield
    finally:
        slots.release()
