"""Make the users of a storm, and check what it has left: over HTTP or in the database."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from itertools import groupby
from operator import attrgetter
from time import monotonic, sleep
from typing import Any, TypeVar
from urllib.parse import urljoin
from uuid import UUID, uuid4

import click
from sqlalchemy import delete, insert, select, text
from sqlalchemy.exc import SQLAlchemyError

from chirpy.accounts.models import Membership, User
from chirpy.database.engine import db
from chirpy.database.errors import is_transient
from chirpy.database.migration_state import require_migrated
from chirpy.devtools.polka.delivery import Answers, wait_after
from chirpy.devtools.polka.events import UPGRADED, Event
from chirpy.devtools.polka.receiver import Answer, Receiver
from chirpy.webhooks.models import PROVIDER, WebhookEvent

LOGINS = 8  # concurrent requests; each hashes a password
PATIENCE = 60  # seconds for the database or the server to come back, as after a failover
PAUSE = 1  # second between two attempts
T = TypeVar("T")
# The ids of new users, and a function that yields differences from what is due.
Judge = tuple[list[str], Callable[[Sequence[Event], Answers], Iterator[str]]]


@contextmanager
def http_judge(url: str, count: int) -> Iterator[Judge]:
    """Make users, who stay: the course has no route that deletes them. Compare `is_chirpy_red`."""
    click.echo(f"Making {count} users on {urljoin(url, '/')}, which stay there")
    new = [{"email": f"{uuid4()}@storm.example", "password": str(uuid4())} for _ in range(count)]
    user_ids = [str(user_id) for user_id in post(urljoin(url, "/api/users"), new, "id")]

    def differences(events: Sequence[Event], _answers: Answers) -> Iterator[str]:
        colors = map(json.dumps, post(urljoin(url, "/api/login"), new, "is_chirpy_red"))
        due = {user_id: {"false"} for user_id in user_ids}
        # Any event of a user's last timestamp may count.
        for (user_id, _), last in groupby(sorted(events), attrgetter("user_id", "timestamp")):
            due[user_id] = {json.dumps(event.type == UPGRADED) for event in last}
        found = dict(zip(user_ids, colors, strict=True))
        return (f"is_chirpy_red of user {difference}" for difference in compare(found, due))

    yield user_ids, differences


def post(url: str, users: Iterable[dict[str, str]], name: str) -> Iterator[Any]:
    """Send each user, and yield the member `name` of each answer. Fail if there is none."""
    bodies = [json.dumps(user).encode() for user in users]
    with ThreadPoolExecutor(LOGINS) as pool:
        for answer in pool.map(partial(send_until_served, Receiver(url)), bodies):
            if not answer.acknowledged or name not in answer.content:
                raise click.ClickException(f"No {name} from POST {url}: {answer}. Next: check --to")
            yield answer.content[name]


def send_until_served(receiver: Receiver, body: bytes) -> Answer:
    """Return the answer; for a minute, send again when `Retry-After` asks for it."""
    deadline, number = monotonic() + PATIENCE, 1
    while (answer := receiver.send(body)).retry_after and monotonic() < deadline:
        sleep(wait_after(number, answer.retry_after))
        number += 1
    return answer


@contextmanager
def database_judge(keep: bool, count: int) -> Iterator[Judge]:
    """Make users, who are deleted with their events at the end unless `keep`. Compare all rows."""
    require_migrated(db.session.connection())  # rather than make users for another application
    new = [{"email": f"{uuid4()}@storm.example"} for _ in range(count)]
    user_ids = list(db.session.scalars(insert(User).returning(User.id), new))
    db.session.commit()
    try:
        yield [str(user_id) for user_id in user_ids], partial(compare_rows, user_ids)
    finally:
        if not keep:
            run_until_available(lambda: delete_rows(user_ids))


def delete_rows(user_ids: list[UUID]) -> None:
    """Delete the users and their events."""
    # Users first: it waits for deliveries in progress, and later ones find no user.
    for column in (User.id, WebhookEvent.user_id):
        db.session.execute(delete(column.class_).where(column.in_(user_ids)))


def run_until_available(transaction: Callable[[], T]) -> T:
    """Run a transaction and commit; for a minute, run it again after transient errors."""
    deadline = monotonic() + PATIENCE
    while True:
        try:
            result = transaction()
            db.session.commit()
        except SQLAlchemyError as error:
            db.session.rollback()
            if not is_transient(error) or monotonic() > deadline:
                raise
        else:
            return result
        sleep(PAUSE)


def compare_rows(users: list[UUID], events: Sequence[Event], answers: Answers) -> Iterator[str]:
    """Compare the rows: each event once, each membership as after the user's last event."""
    due = {f"event {e.id} of {PROVIDER}": event_rows(e, answers[e.id]) for e in events}
    for e in sorted(events):  # the last event of a user replaces the earlier ones
        due[f"user {e.user_id}"] = {f"{e.type == UPGRADED} {e.timestamp} {e.id}"}
    return compare(run_until_available(lambda: dict(stored_rows(users))), due)


def stored_rows(user_ids: list[UUID]) -> Iterator[tuple[str, str]]:
    """Yield a name and the values of each event and membership of the users."""
    db.session.execute(text("SET LOCAL TIME ZONE 'UTC'"))  # as in the storm's timestamps
    for e in db.session.scalars(select(WebhookEvent).where(WebhookEvent.user_id.in_(user_ids))):
        time = e.occurred_at and e.occurred_at.isoformat()
        values = f"{e.type} {e.user_id} {time} {e.outcome} {e.deliveries}"
        yield f"event {e.event_id} of {e.provider}", values
    for m in db.session.scalars(select(Membership).where(Membership.user_id.in_(user_ids))):
        yield f"user {m.user_id}", f"{m.is_chirpy_red} {m.as_of.isoformat()} {m.event_id}"


def event_rows(event: Event, answers: Sequence[Answer]) -> set[str]:
    """Return the rows that fit the answers: one is new unless lost, others are duplicates."""
    acknowledged = [answer.text for answer in answers if answer.acknowledged]
    unclear = sum(not 0 < answer.status < 500 for answer in answers)  # these may count or not
    new = [outcome for outcome in acknowledged if outcome != "duplicate"]
    outcomes = set(new) or {"applied", "stale"}
    if len(new) > 1 or not (new or unclear):
        outcomes = {f"answered as new {len(new)} times"}
    counts = range(len(acknowledged), len(acknowledged) + unclear + 1)
    row = f"{event.type} {event.user_id} {event.timestamp}"
    return {f"{row} {outcome} {count}" for outcome in outcomes for count in counts}


def compare(found: Mapping[str, str], due: Mapping[str, set[str]]) -> Iterator[str]:
    """Yield each name with another row than one of those due, or with a row if none is due."""
    for name in {**due, **found}:
        row, rows = found.get(name, "nothing"), due.get(name, {"nothing"})
        if row not in rows:
            yield f"{name}: {row} instead of {' or '.join(sorted(rows))}"
