"""How often the website was visited: one number, however many processes serve.

A sequence counts without a lock and without a row, and keeps counting when a transaction is undone.
It writes ahead, for 32 numbers at a time, and no commit waits for that: after a crash of Postgres
the number may be up to 32 too high, or lack the visits of the last second.
"""

from sqlalchemy import Sequence, select, text

from chirpy.database import Base, db

SEQUENCE = Sequence("visits", metadata=Base.metadata)

COUNT_ONE = select(SEQUENCE.next_value())
RESTART = text("ALTER SEQUENCE visits RESTART")
TOTAL = text("SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM visits")


def count_one() -> None:
    """Count one visit."""
    db.session.execute(COUNT_ONE)


def total() -> int:
    """The visits since the last reset."""
    return int(db.session.scalar(TOTAL) or 0)


def restart() -> None:
    """Count from nothing again once this transaction commits."""
    db.session.execute(RESTART)
