"""Delete the bodies of old events. Key and fingerprint stay, because they detect duplicates."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import text

from chirpy.database.engine import db

BATCH = 5000  # rows; the UPDATE of so many takes much less than statement_timeout
START = ("-infinity", "00000000-0000-0000-0000-000000000000")
END = ("infinity", "ffffffff-ffff-ffff-ffff-ffffffffffff")

# Batches follow the index, so that each costs the same, however many events were pruned before.
# The time is text, because a user of psql can insert a time that Python does not have: infinity.
BATCH_END = text("""
    SELECT first_delivered_at::text AS at, id FROM webhook_events
    WHERE (first_delivered_at, id) > (:at, :id) AND first_delivered_at < :before
    ORDER BY first_delivered_at, id OFFSET :batch - 1 LIMIT 1
""")
PRUNE = text("""
    UPDATE webhook_events SET body = NULL
    WHERE (first_delivered_at, id) > (:at, :id) AND (first_delivered_at, id) <= (:end_at, :end_id)
    AND first_delivered_at < :before AND last_delivered_at < :before AND body IS NOT NULL
""")


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
