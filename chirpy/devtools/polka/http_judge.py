"""Check a storm by what every client of the receiver can see."""

import json
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from secrets import token_urlsafe
from typing import Any
from urllib.parse import urljoin

import click

from chirpy.devtools.polka.delivery import deliver
from chirpy.devtools.polka.plan import Answers, Row, StormEvent, differences
from chirpy.devtools.polka.receiver import Message, Receiver

CONCURRENCY = 8  # requests; each hashes a password


class HttpJudge:
    """Make users with `POST /api/users`; read whether they are red with `POST /api/login`."""

    scope = "is_chirpy_red of the users"

    def __init__(self, url: str) -> None:
        self.url, self.password = url, token_urlsafe(16)
        self.emails: dict[str, str] = {}  # by user id

    @contextmanager
    def users(self, emails: Sequence[str]) -> Iterator[list[str]]:
        """Make users, which stay: the course has no route that deletes them."""
        click.echo(f"making {len(emails)} users on {urljoin(self.url, '/')}, which stay there")
        user_ids = self.post("/api/users", emails, "id")
        self.emails = {str(user_ids[email]): email for email in emails}
        yield list(self.emails)

    def differences(self, events: Sequence[StormEvent], _answers: Answers) -> Iterator[str]:
        """Compare users with their last event, or any of those with the last timestamp."""
        is_red = self.post("/api/login", list(self.emails.values()), "is_chirpy_red")
        found = {f"user {user_id}": [color(is_red[e])] for user_id, e in self.emails.items()}
        last = {event.user_id: event.occurred_at for event in sorted(events)}
        due: dict[str, set[Row]] = {name: set() for name in found}
        for event in events:
            if event.occurred_at == last[event.user_id]:
                due[f"user {event.user_id}"].add(color(event.is_upgrade))
        return differences(found, {name: rows or {color(False)} for name, rows in due.items()})

    def post(self, path: str, emails: Sequence[str], name: str) -> dict[str, Any]:
        """Send each user's credentials; return the member `name` of each answer, by email.

        Raise ClickException if an answer has none.
        """
        receiver, values = Receiver(urljoin(self.url, path)), {}
        bodies = [{"email": email, "password": self.password} for email in emails]
        messages = [Message(body["email"], json.dumps(body).encode()) for body in bodies]
        with closing(deliver(receiver, messages, attempts=1, concurrency=CONCURRENCY)) as attempts:
            for _, message, _, answer, _ in attempts:
                if not answer.acknowledged or name not in answer.content:
                    raise click.ClickException(
                        f"--verify http needs a 2xx with `{name}` from POST {receiver.url},"
                        f" which answered: {answer}\nNext: check --to and the log of that server"
                    )
                values[message.id] = answer.content[name]
        return values


def color(is_red: object) -> Row:
    """Return the row to compare."""
    return ("red" if is_red is True else "not red",)
