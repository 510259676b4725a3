"""The users of a storm, in the database for as long as it lasts."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from sqlalchemy import BindParameter, bindparam, delete
from sqlalchemy.dialects.postgresql import insert

from chirpy.accounts.models import User
from chirpy.database.base import table_of as table
from chirpy.database.engine import db
from chirpy.webhooks.models import WebhookEvent

USERS = table(User)
EVENTS = table(WebhookEvent)
THEM: BindParameter[Any] = bindparam("user_ids", expanding=True)

MAKE = insert(USERS).returning(USERS.c.id)
# The users first: that waits for the deliveries under way, and those that follow find nobody. Then
# the events, which no user takes along.
FORGET = (
    delete(USERS).where(USERS.c.id.in_(THEM)),
    delete(EVENTS).where(EVENTS.c.user_id.in_(THEM)),
)


@contextmanager
def crowd(run: str, size: int, keep: bool) -> Iterator[list[UUID]]:
    """Make `size` users for the storm called `run`; after it nothing is left of them, or all."""
    emails = [{"email": f"{run}-{number}@polka.example"} for number in range(1, size + 1)]
    user_ids = list(db.session.scalars(MAKE, emails))
    db.session.commit()
    try:
        yield user_ids
    finally:
        if not keep:
            forget(user_ids)


def forget(user_ids: list[UUID]) -> None:
    """Delete these users, their memberships and the events about them."""
    for statement in FORGET:
        db.session.execute(statement, {"user_ids": user_ids})
    db.session.commit()
