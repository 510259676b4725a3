"""The delivery log: what came, how often, and what became of it."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, select, text, tuple_

from chirpy.database import Record, db, table
from chirpy.paging import Cursor, cut
from chirpy.webhooks.models import PROVIDER, WebhookEvent

EVENTS = table(WebhookEvent)
PLACE = (EVENTS.c.first_delivered_at, EVENTS.c.id)
BATCH = 5000  # rows; a statement that prunes them is done well within its time limit
BEGINNING = ("-infinity", "00000000-0000-0000-0000-000000000000")
END = ("infinity", "ffffffff-ffff-ffff-ffff-ffffffffffff")

# Along the index, so that a batch costs the same however many events there are, pruned or not. Its
# time as text: somebody with psql may have typed one that Python doesn't know, such as infinity.
BATCH_END = text("""
    SELECT first_delivered_at::text AS at, id FROM webhook_events
    WHERE (first_delivered_at, id) > (:at, :id) AND first_delivered_at < :before
    ORDER BY first_delivered_at, id OFFSET :batch - 1 LIMIT 1
""")
# Whatever tells a repeat stays: the row, its key and its fingerprint.
PRUNE = text("""
    UPDATE webhook_events SET body = NULL
    WHERE (first_delivered_at, id) > (:at, :id) AND (first_delivered_at, id) <= (:end_at, :end_id)
    AND first_delivered_at < :before AND last_delivered_at < :before AND body IS NOT NULL
""")


def page(
    limit: int,
    after: Cursor | None = None,
    outcome: str | None = None,
    event_type: str | None = None,
    user_id: UUID | None = None,
    since: datetime | None = None,
) -> tuple[Sequence[Record], Cursor | None]:
    """Up to `limit` events, the latest first delivery first, and where the next page starts.

    One user's are found by an index; of the rest the log is read in that order until it has them.
    """
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


def find(event_id: str) -> Record | None:
    """The event to which Polka gave this id, if there is one."""
    key = (EVENTS.c.provider == PROVIDER, EVENTS.c.event_id == event_id)
    return db.session.execute(select(EVENTS).where(*key)).one_or_none()


def prune(before: datetime) -> Iterator[int]:
    """Delete the bodies of events last delivered before then; says how many after each batch.

    A batch is up to BATCH events, in the order of their first delivery. Commit each.
    """
    end: Any = BEGINNING
    while end != END:
        given = {"at": end[0], "id": end[1], "before": before, "batch": BATCH}
        end = db.session.execute(BATCH_END, given).one_or_none() or END
        pruned: Any = db.session.execute(PRUNE, given | {"end_at": end[0], "end_id": end[1]})
        yield pruned.rowcount
