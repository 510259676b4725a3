"""The things that tests are about, made in one line."""

from dataclasses import dataclass
from itertools import count
from typing import Any
from uuid import UUID, uuid4

from flask.testing import FlaskClient

from tests.support.databases import POLKA_KEY, Sql

NUMBERS = count(1)
PASSWORD = "correct horse battery staple"
API_KEY = {"Authorization": f"ApiKey {POLKA_KEY}"}


@dataclass(frozen=True)
class Person:
    """Somebody who signed up and logged in."""

    id: str
    email: str
    token: str
    refresh_token: str

    @property
    def access(self) -> dict[str, str]:
        """The header that lets them in."""
        return {"Authorization": f"Bearer {self.token}"}

    @property
    def refresh(self) -> dict[str, str]:
        """The header that gets them another access token."""
        return {"Authorization": f"Bearer {self.refresh_token}"}


def an_email() -> str:
    """An email that nobody has yet."""
    return f"person{next(NUMBERS)}@example.com"


def a_person(client: FlaskClient, email: str | None = None) -> Person:
    """Sign somebody up and log them in."""
    given = {"email": email or an_email(), "password": PASSWORD}
    client.post("/api/users", json=given)
    login = client.post("/api/login", json=given).get_json()
    return Person(login["id"], login["email"], login["token"], login["refresh_token"])


def a_user(sql: Sql) -> UUID:
    """A user who never logs in; quicker than a person."""
    [[user_id]] = sql("INSERT INTO users (email) VALUES (%s) RETURNING id", an_email())
    return UUID(str(user_id))


def a_chirp(client: FlaskClient, author: Person, body: str = "Hello") -> dict[str, Any]:
    """Something that `author` says."""
    answer = client.post("/api/chirps", json={"body": body}, headers=author.access)
    chirp: dict[str, Any] = answer.get_json()
    return chirp


def an_event(user_id: object, event: str = "user.upgraded", **more: Any) -> dict[str, Any]:
    """An event in the course's form; `id` and `timestamp` may be added."""
    return {"event": event, "data": {"user_id": str(user_id)}} | more


def an_id() -> str:
    """An id that no event has had."""
    return f"evt_{uuid4().hex}"
