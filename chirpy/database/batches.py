"""Change many rows in several transactions, so that none takes long."""

from collections.abc import Iterable

from chirpy.database.engine import db


def commit_each(batches: Iterable[int]) -> int:
    """Commit after each batch, which yields its number of rows. Return the number of all rows."""
    total = 0
    for rows in batches:
        db.session.commit()
        total += rows
    return total
