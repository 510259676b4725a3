"""The delivery log: which events were received, how often, and with which outcome."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, select, text, tuple_

from chirpy.database.engine import db
from chirpy.web.cursors import Cursor
from chirpy.web.paging import split_page
from chirpy.webhooks.models import PROVIDER, WebhookEvent

ORDER = (WebhookEvent.first_delivered_at, WebhookEvent.id)
BATCH = 5000  # rows; a statement that prunes them stays well within its time limit
START = ("-infinity", "00000000-0000-0000-0000-000000000000")
END = ("infinity", "ffffffff-ffff-ffff-ffff-ffffffffffff")

# It walks along the index, so that a batch costs the same however many events there are, pruned or
# not. Its time is text, because a user of psql can insert times that Python lacks, like infinity.
BATCH_END = text("""
    SELECT first_delivered_at::text AS at, id FROM webhook_events
    WHERE (first_delivered_at, id) > (:at, :id) AND first_delivered_at < :before
    ORDER BY first_delivered_at, id OFFSET :batch - 1 LIMIT 1
""")
# The row, its key and its fingerprint stay: they detect duplicates.
PRUNE = text("""
    UPDATE webhook_events SET body = NULL
    WHERE (first_delivered_at, id) > (:at, :id) AND (first_delivered_at, id) <= (:end_at, :end_id)
    AND first_delivered_at < :before AND last_delivered_at < :before AND body IS NOT NULL
""")


def list_page(
    limit: int,
    after: Cursor | None = None,
    outcome: str | None = None,
    event_type: str | None = None,
    user_id: UUID | None = None,
    since: datetime | None = None,
) -> tuple[Sequence[WebhookEvent], Cursor | None]:
    """Return up to `limit` events, newest first, and the cursor of the next page if there is one.

    An index finds the events of one user. The other filters read the log in this order.
    """
    conditions: list[ColumnElement[bool]] = [
        column == value
        for column, value in (
            (WebhookEvent.outcome, outcome),
            (WebhookEvent.type, event_type),
            (WebhookEvent.user_id, user_id),
        )
        if value is not None
    ]
    if since is not None:
        conditions.append(WebhookEvent.first_delivered_at >= since)
    if after is not None:
        conditions.append(tuple_(*ORDER) < tuple_(after.at, after.id))
    newest_first = [column.desc() for column in ORDER]
    events = select(WebhookEvent).where(*conditions).order_by(*newest_first).limit(limit + 1)
    return split_page(db.session.scalars(events).all(), limit, cursor_of)


def cursor_of(event: WebhookEvent) -> Cursor:
    """Return the position of an event in the log."""
    return Cursor(event.first_delivered_at, event.id)


def find(event_id: str) -> WebhookEvent | None:
    """Return Polka's event with this id, or None."""
    by_key = select(WebhookEvent).filter_by(provider=PROVIDER, event_id=event_id)
    return db.session.scalars(by_key).one_or_none()


def prune(before: datetime) -> Iterator[int]:
    """Delete the bodies of events last delivered before then. Yield the number of each batch.

    A batch is up to BATCH events, in the order of their first delivery. Commit after each.
    """
    end: Any = START
    while end != END:
        position = {"at": end[0], "id": end[1], "before": before, "batch": BATCH}
        end = db.session.execute(BATCH_END, position).one_or_none() or END
        pruned: Any = db.session.execute(PRUNE, position | {"end_at": end[0], "end_id": end[1]})
        yield pruned.rowcount
