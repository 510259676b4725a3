"""Whether the database holds what a storm must have left: nothing lost, nothing twice."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BindParameter, Row, bindparam, select

from chirpy.accounts.models import Membership
from chirpy.database.base import table_of as table
from chirpy.database.engine import db
from chirpy.devtools.polka.storm import Plan, Planned, Tallies, Tally
from chirpy.webhooks.models import WebhookEvent

EVENTS = table(WebhookEvent)
MEMBERSHIPS = table(Membership)
THEM: BindParameter[Any] = bindparam("user_ids", expanding=True)

FIND_EVENTS = select(EVENTS).where(EVENTS.c.user_id.in_(THEM))
FIND_MEMBERSHIPS = select(MEMBERSHIPS).where(MEMBERSHIPS.c.user_id.in_(THEM))


def differences(user_ids: Sequence[UUID], plan: Plan, tallies: Tallies) -> Iterator[str]:
    """Compare the rows of these users with what they must be; yields a line for each difference.

    What they must be is known only once everything was acknowledged.
    """
    if missing := len(plan.messages) - tallies.outcomes.total():
        yield f"{missing} deliveries were not acknowledged, so the database was not checked"
        return
    last = {event.user_id: event for event in sorted(plan.events, key=lambda event: event.rank)}
    rows = kept(user_ids)
    for event in plan.events:
        tally, is_last = tallies.of[event.event_id], last[event.user_id] is event
        for problem in in_inbox(event, is_last, tally, rows.pop(event.event_id, [])):
            yield f"event {event.event_id}: {problem}"
    yield from (f"event {event_id}: was never sent" for event_id in rows)
    yield from in_memberships(user_ids, last)


def kept(user_ids: Sequence[UUID]) -> dict[str, list[Row[Any]]]:
    """The rows of the inbox about these users, by the id of the event."""
    rows = defaultdict(list)
    for row in db.session.execute(FIND_EVENTS, {"user_ids": user_ids}):
        rows[row.event_id].append(row)
    return rows


def in_inbox(
    event: Planned, is_last: bool, tally: Tally, rows: Sequence[Row[Any]]
) -> Iterator[str]:
    """What is wrong with the rows of one event."""
    if len(rows) != 1:
        yield f"{len(rows)} rows instead of one"
        return
    [row] = rows
    if (row.type, row.user_id, row.occurred_at) != (event.type, event.user_id, event.occurred_at):
        yield f"kept as {row.type} of {row.user_id} at {row.occurred_at}"
    yield from in_count(row.deliveries, tally)
    yield from in_outcome(row.outcome, is_last, tally)


def in_count(deliveries: int, tally: Tally) -> Iterator[str]:
    """Each delivery counts once; one of which Polka is unsure may have counted or not."""
    least, most = tally.outcomes.total(), tally.outcomes.total() + tally.unsure
    if not least <= deliveries <= most:
        yield f"{deliveries} deliveries counted instead of {least} to {most}"


def in_outcome(outcome: str, is_last: bool, tally: Tally) -> Iterator[str]:
    """One delivery is new, unless its answer went astray, and all others are duplicates."""
    new = [word for word in tally.outcomes.elements() if word != "duplicate"]
    if len(new) > 1 or not (new or tally.unsure):
        yield f"{len(new)} deliveries answered as new instead of one"
    right = {"applied"} if is_last else {"applied", "stale"}
    if outcome not in right & set(new or right):
        yield f"kept as {outcome}, answered {' and '.join(new) or 'nothing'}, " + (
            "the last of its user" if is_last else "not the last of its user"
        )


def in_memberships(user_ids: Sequence[UUID], last: Mapping[UUID, Planned]) -> Iterator[str]:
    """Each membership must be what the last event of its user says, whenever that arrived."""
    rows = db.session.execute(FIND_MEMBERSHIPS, {"user_ids": user_ids})
    found = {row.user_id: (row.is_chirpy_red, row.as_of, row.event_id) for row in rows}
    for user_id in user_ids:
        right = last[user_id].membership if user_id in last else None
        if found.get(user_id) != right:
            yield f"user {user_id}: {told(found.get(user_id))} instead of {told(right)}"


def told(membership: tuple[bool, datetime, str] | None) -> str:
    """A membership in words."""
    if membership is None:
        return "no membership"
    is_red, as_of, event_id = membership
    return f"{'red' if is_red else 'not red'} as of {as_of.isoformat()} by {event_id}"
