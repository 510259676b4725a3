"""Delete refresh tokens that have ended, and counters that are empty."""

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import text

from chirpy.database.engine import db

BATCH = 5000  # rows; deleting them takes much less than statement_timeout

# Batches follow the primary key, so that each costs the same, however many tokens stay.
PRUNE_TOKENS = text("""
    WITH batch AS (
        SELECT token_hash, least(expires_at, revoked_at) < :before AS ended
        FROM refresh_tokens WHERE token_hash > :after ORDER BY token_hash LIMIT :batch
    ), deleted AS (
        DELETE FROM refresh_tokens AS token USING batch
        WHERE token.token_hash = batch.token_hash AND ended RETURNING token.token_hash
    )
    SELECT (SELECT token_hash FROM batch ORDER BY token_hash DESC LIMIT 1), count(*) FROM deleted
""")
# A counter that is in use waits for nothing, and nothing waits for it.
PRUNE_COUNTERS = text("""
    DELETE FROM attempt_counters WHERE key IN (
        SELECT key FROM attempt_counters WHERE empty_at < now() FOR UPDATE SKIP LOCKED
    )
""")


def prune_tokens(before: datetime) -> Iterator[int]:
    """Delete refresh tokens that expired or were revoked before then. Yield the rows of each batch.

    Commit after each.
    """
    last: bytes | None = b""
    while last is not None:
        values = {"before": before, "after": last, "batch": BATCH}
        last, count = db.session.execute(PRUNE_TOKENS, values).one()
        yield count


def prune_counters() -> int:
    """Delete the counters that are empty. Return their number."""
    return db.session.connection().execute(PRUNE_COUNTERS).rowcount
