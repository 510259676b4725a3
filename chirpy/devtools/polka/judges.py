"""Check what a storm has left: as any client sees it, or in the database."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from secrets import token_hex, token_urlsafe
from typing import Any
from urllib.parse import urljoin
from uuid import UUID

import click
from sqlalchemy import delete, insert, select

from chirpy.accounts.models import Membership, User
from chirpy.database.engine import db
from chirpy.devtools.polka.delivery import deliver
from chirpy.devtools.polka.receiver import Answer, Message, Receiver
from chirpy.devtools.polka.storm import TYPES, Answers, Row, StormEvent, differences
from chirpy.webhooks.models import WebhookEvent as Event

RED = "is_chirpy_red"
LOGINS = 8  # concurrent requests; each hashes a password


def new_emails(count: int) -> list[str]:
    """Return emails that no user has."""
    run = token_hex(8)
    return [f"storm-{run}-{number}@polka.example" for number in range(1, count + 1)]


class HttpJudge:
    """Make users with `POST /api/users`; read whether they are red with `POST /api/login`."""

    scope = f"{RED} of the users"

    def __init__(self, url: str) -> None:
        self.url, self.password = url, token_urlsafe(16)
        self.user_ids: dict[str, Any] = {}  # by email

    @contextmanager
    def users(self, count: int) -> Iterator[list[str]]:
        """Make users, which stay: the course has no route that deletes them."""
        click.echo(f"making {count} users on {urljoin(self.url, '/')}, which stay there")
        self.user_ids = self.post("/api/users", new_emails(count), "id")
        yield list(map(str, self.user_ids.values()))

    def differences(self, events: Sequence[StormEvent], _answers: Answers) -> Iterator[str]:
        """Compare users with their last event, or with any event of the last timestamp."""
        is_red = self.post("/api/login", self.user_ids, RED)
        found: dict[str, list[Row]] = {
            f"user {self.user_ids[email]}": [(RED, json.dumps(value))]
            for email, value in is_red.items()
        }
        last = {event.user_id: event.occurred_at for event in sorted(events)}
        due: dict[str, set[Row]] = {name: set() for name in found}
        for event in events:
            if event.occurred_at == last[event.user_id]:
                due[f"user {event.user_id}"].add((RED, json.dumps(event.is_upgrade)))
        return differences(found, {name: rows or {(RED, "false")} for name, rows in due.items()})

    def post(self, path: str, emails: Iterable[str], name: str) -> dict[str, Any]:
        """Send credentials; return the member `name` of each answer by email, or fail."""
        receiver, values = Receiver(urljoin(self.url, path)), {}
        bodies = [{"email": email, "password": self.password} for email in emails]
        messages = [Message(body["email"], json.dumps(body).encode()) for body in bodies]
        with closing(deliver(receiver, messages, attempts=1, concurrency=LOGINS)) as attempts:
            for _, message, _, answer, _ in attempts:
                if not answer.acknowledged or name not in answer.content:
                    raise click.ClickException(
                        f"--verify http needs a 2xx with `{name}` from POST {receiver.url},"
                        f" which answered: {answer}\nNext: check --to and the log of that server"
                    )
                values[message.id] = answer.content[name]
        return values


class DatabaseJudge:
    """Make users in the database; compare its events and memberships with the storm."""

    scope = "webhook_events and memberships"

    def __init__(self, keep: bool) -> None:
        self.keep = keep
        self.user_ids: list[UUID] = []

    @contextmanager
    def users(self, count: int) -> Iterator[list[str]]:
        """Make users; delete them and their events at the end, unless `keep`."""
        rows = [{"email": email} for email in new_emails(count)]
        self.user_ids = list(db.session.scalars(insert(User).returning(User.id), rows))
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
        for m in db.session.scalars(
            select(Membership).where(Membership.user_id.in_(self.user_ids))
        ):
            found[f"user {m.user_id}"].append((m.is_chirpy_red, m.as_of, m.event_id))
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
