"""Read the delivery log: which events were received, how often, and with which outcome."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, func, select, tuple_

from chirpy.database.engine import db
from chirpy.web.cursors import Cursor
from chirpy.web.paging import split_page
from chirpy.webhooks.models import PROVIDER, WebhookEvent

ORDER = (WebhookEvent.first_delivered_at, WebhookEvent.id)
NEWEST_FIRST = [column.desc() for column in ORDER]
# An index finds the newest events; one of the last deliveries would slow each delivery down. Almost
# all deliveries are of such an event: the first one, or a duplicate soon after it.
NEWEST = select(WebhookEvent.last_delivered_at).order_by(*NEWEST_FIRST).limit(1000).subquery()
LAST_DELIVERY = select(func.extract("epoch", func.max(NEWEST.c.last_delivered_at)))


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
    filters = {"outcome": outcome, "type": event_type, "user_id": user_id}
    given = {column: value for column, value in filters.items() if value is not None}
    events = select(WebhookEvent).filter_by(**given)
    if since is not None:
        events = events.where(WebhookEvent.first_delivered_at >= since)
    if after is not None:
        events = events.where(tuple_(*ORDER) < tuple_(after.at, after.id))
    newest_first = events.order_by(*NEWEST_FIRST).limit(limit + 1)
    return split_page(db.session.scalars(newest_first).all(), limit, cursor_of)


def last_delivery(connection: Connection) -> float:
    """Return when a delivery was accepted last, in seconds since 1970, or 0 if none was.

    Of all events but the newest 1000, only the first delivery counts.
    """
    return float(connection.scalar(LAST_DELIVERY) or 0)


def cursor_of(event: WebhookEvent) -> Cursor:
    """Return the position of an event in the log."""
    return Cursor(event.first_delivered_at, event.id)


def find(event_id: str) -> WebhookEvent | None:
    """Return Polka's event with this id, or None."""
    by_key = select(WebhookEvent).filter_by(provider=PROVIDER, event_id=event_id)
    return db.session.scalars(by_key).one_or_none()
