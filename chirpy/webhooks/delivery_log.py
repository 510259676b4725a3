"""Read the delivery log: which events were received, how often, and with which outcome."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, tuple_

from chirpy.database.engine import db
from chirpy.web.cursors import Cursor
from chirpy.web.paging import split_page
from chirpy.webhooks.models import PROVIDER, WebhookEvent

ORDER = (WebhookEvent.first_delivered_at, WebhookEvent.id)


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
    newest_first = events.order_by(*[column.desc() for column in ORDER]).limit(limit + 1)
    return split_page(db.session.scalars(newest_first).all(), limit, cursor_of)


def cursor_of(event: WebhookEvent) -> Cursor:
    """Return the position of an event in the log."""
    return Cursor(event.first_delivered_at, event.id)


def find(event_id: str) -> WebhookEvent | None:
    """Return Polka's event with this id, or None."""
    by_key = select(WebhookEvent).filter_by(provider=PROVIDER, event_id=event_id)
    return db.session.scalars(by_key).one_or_none()
