"""Count the visits of the website, for all server processes together.

A Postgres sequence counts without a row lock, also when the transaction is rolled back. Postgres
logs its value for 32 visits in advance, and no commit waits for that: after a crash the number can
be up to 32 too high, or lack the visits of the last second.
"""

from sqlalchemy import Sequence, select, text

from chirpy.database.base import Base
from chirpy.database.engine import db

SEQUENCE = Sequence("visits", metadata=Base.metadata)

COUNT_ONE = select(SEQUENCE.next_value())
RESTART = text("ALTER SEQUENCE visits RESTART")
TOTAL = text("SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM visits")


def count_visit() -> None:
    """Count one visit."""
    db.session.execute(COUNT_ONE)


def total() -> int:
    """Return the number of visits since the last reset."""
    return int(db.session.scalar(TOTAL) or 0)


def restart() -> None:
    """Set the number of visits to 0 when the transaction commits."""
    db.session.execute(RESTART)
