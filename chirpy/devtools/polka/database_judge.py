"""Check a storm by the rows in the database of this Chirpy."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from uuid import UUID

from sqlalchemy import delete, insert, select

from chirpy.accounts.models import Membership, User
from chirpy.database.engine import db
from chirpy.devtools.polka.plan import TYPES, Answers, Row, StormEvent, differences
from chirpy.devtools.polka.receiver import Answer
from chirpy.webhooks.models import WebhookEvent as Event


class DatabaseJudge:
    """Make users in the database; compare its events and memberships with the storm."""

    scope = "webhook_events and memberships"

    def __init__(self, keep: bool) -> None:
        self.keep = keep
        self.user_ids: list[UUID] = []

    @contextmanager
    def users(self, emails: Sequence[str]) -> Iterator[list[str]]:
        """Make users; delete them and their events at the end, unless `keep`."""
        make = insert(User).returning(User.id)
        self.user_ids = list(db.session.scalars(make, [{"email": email} for email in emails]))
        db.session.commit()
        try:
            yield [str(user_id) for user_id in self.user_ids]
        finally:
            if not self.keep:
                # Users first: it waits for deliveries in progress, and later ones find no user.
                db.session.execute(delete(User).where(User.id.in_(self.user_ids)))
                db.session.execute(delete(Event).where(Event.user_id.in_(self.user_ids)))
                db.session.commit()

    def differences(self, events: Sequence[StormEvent], answers: Answers) -> Iterator[str]:
        """Compare the rows: each event once, each membership as after the user's last event."""
        found: dict[str, list[Row]] = defaultdict(list)
        for row in db.session.scalars(select(Event).where(Event.user_id.in_(self.user_ids))):
            values = row.type, str(row.user_id), row.occurred_at, row.outcome, row.deliveries
            found[f"event {row.event_id}"].append(values)
        of_users = select(Membership).where(Membership.user_id.in_(self.user_ids))
        for member in db.session.scalars(of_users):
            found[f"user {member.user_id}"].append(
                (member.is_chirpy_red, member.as_of, member.event_id)
            )
        last = {event.user_id: event for event in sorted(events)}
        due = {
            f"event {event.id}": event_rows(event, event is last[event.user_id], answers[event.id])
            for event in events
        }
        for user_id, event in last.items():
            due[f"user {user_id}"] = {(event.is_upgrade, event.occurred_at, event.id)}
        return differences(found, due)


def event_rows(event: StormEvent, is_last: bool, answers: Sequence[Answer]) -> set[Row]:
    """Return the rows that fit the answers to the deliveries of an event.

    One delivery is new, unless its answer was lost, and the others are duplicates. Each counts
    once; an attempt without a clear answer may count or not.
    """
    outcomes = [answer.text for answer in answers if answer.acknowledged]
    unclear = sum(not 0 < answer.status < 500 for answer in answers)
    new = [outcome for outcome in outcomes if outcome != "duplicate"]
    fitting = {"applied"} if is_last else {"applied", "stale"}
    if new or not unclear:
        fitting = {outcome for outcome in fitting if new == [outcome]} or {f"one of {new}"}
    return {
        (TYPES[event.is_upgrade], event.user_id, event.occurred_at, outcome, deliveries)
        for outcome in fitting
        for deliveries in range(len(outcomes), len(outcomes) + unclear + 1)
    }
