"""Delete the bodies of old events. Key and fingerprint stay, because they detect duplicates."""

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import text

from chirpy.database.engine import db

BATCH = 5000  # rows; their UPDATE takes much less than statement_timeout
START = ("-infinity", "00000000-0000-0000-0000-000000000000")
END = ("infinity", "ffffffff-ffff-ffff-ffff-ffffffffffff")

# Batches follow the index, so that each costs the same, however many events were pruned before.
# The time is text, because users of psql can insert a time that Python does not have: infinity.
BATCH_END = text("""
    SELECT first_delivered_at::text AS at, id::text AS uuid FROM webhook_events
    WHERE (first_delivered_at, id) > (:at, :id) AND first_delivered_at < :before
    ORDER BY first_delivered_at, id OFFSET :batch - 1 LIMIT 1
""")
PRUNE = text("""
    UPDATE webhook_events SET body = NULL
    WHERE (first_delivered_at, id) > (:at, :id) AND (first_delivered_at, id) <= (:end_at, :end_id)
    AND first_delivered_at < :before AND last_delivered_at < :before AND body IS NOT NULL
""")


def prune(before: datetime) -> Iterator[int]:
    """Delete the bodies of events last delivered before then. Yield the rows of each batch.

    A batch is up to BATCH events, in the order of their first delivery. Commit after each.
    """
    end = START
    while end != END:
        batch = {"at": end[0], "id": end[1], "before": before, "batch": BATCH}
        row = db.session.execute(BATCH_END, batch).one_or_none()
        end = (row.at, row.uuid) if row else END
        batch |= {"end_at": end[0], "end_id": end[1]}
        yield db.session.connection().execute(PRUNE, batch).rowcount
