"""The delivery log: what came, how often, and what became of it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, select, text, tuple_

from chirpy.database import Record, db, table
from chirpy.paging import Cursor, cut
from chirpy.webhooks.models import WebhookEvent

EVENTS = table(WebhookEvent)
PLACE = (EVENTS.c.first_delivered_at, EVENTS.c.id)
BATCH = 5000  # rows; a statement that prunes them is done well within its time limit

# Whatever tells a repeat stays: the row, its key and its fingerprint.
PRUNE = text("""
    UPDATE webhook_events SET body = NULL
    WHERE id IN (
        SELECT id FROM webhook_events
        WHERE body IS NOT NULL AND last_delivered_at < :before
        LIMIT :batch
    )
""")


def page(
    limit: int,
    after: Cursor | None = None,
    outcome: str | None = None,
    event_type: str | None = None,
    user_id: UUID | None = None,
    since: datetime | None = None,
) -> tuple[Sequence[Record], Cursor | None]:
    """Up to `limit` events, the latest first delivery first, and where the next page starts."""
    wanted: list[ColumnElement[bool]] = [
        column == value
        for column, value in (
            (EVENTS.c.outcome, outcome),
            (EVENTS.c.type, event_type),
            (EVENTS.c.user_id, user_id),
        )
        if value is not None
    ]
    if since is not None:
        wanted.append(EVENTS.c.first_delivered_at >= since)
    if after is not None:
        wanted.append(tuple_(*PLACE) < tuple_(after.at, after.id))
    newest_first = [column.desc() for column in PLACE]
    events = select(EVENTS).where(*wanted).order_by(*newest_first).limit(limit + 1)
    return cut(db.session.execute(events).all(), limit, "first_delivered_at")


def find(event_id: str) -> Sequence[Record]:
    """The events with this id; more than one only if several providers chose the same."""
    return db.session.execute(select(EVENTS).where(EVENTS.c.event_id == event_id)).all()


def prune(before: datetime) -> int:
    """Delete the bodies of events last delivered before then, up to BATCH; returns how many."""
    pruned: Any = db.session.execute(PRUNE, {"before": before, "batch": BATCH})
    return int(pruned.rowcount)
