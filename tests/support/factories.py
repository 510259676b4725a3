"""Make the users, chirps and events that tests need, each in one line."""

from dataclasses import dataclass
from itertools import count
from typing import Any
from uuid import UUID, uuid4

from flask.testing import FlaskClient

from tests.support.databases import POLKA_KEY, Sql

NUMBERS = count(1)
PASSWORD = "correct horse battery staple"
API_KEY = {"Authorization": f"ApiKey {POLKA_KEY}"}


def bearer(token: str) -> dict[str, str]:
    """Return the header that carries this token."""
    return {"Authorization": f"Bearer {token}"}


@dataclass(frozen=True)
class Person:
    """A user who has logged in."""

    id: str
    email: str
    token: str
    refresh_token: str

    @property
    def access(self) -> dict[str, str]:
        """The header with the access token."""
        return bearer(self.token)

    @property
    def refresh(self) -> dict[str, str]:
        """The header with the refresh token."""
        return bearer(self.refresh_token)


def an_email() -> str:
    """Return an email that has no account."""
    return f"person{next(NUMBERS)}@example.com"


def a_person(client: FlaskClient, email: str | None = None) -> Person:
    """Sign up, unless the email has an account, and log in."""
    credentials = {"email": email or an_email(), "password": PASSWORD}
    client.post("/api/users", json=credentials)
    login = client.post("/api/login", json=credentials).get_json()
    return Person(login["id"], login["email"], login["token"], login["refresh_token"])


def a_user(sql: Sql) -> UUID:
    """Insert a user without a password, which is faster than `a_person`. Return the id."""
    [[user_id]] = sql("INSERT INTO users (email) VALUES (%s) RETURNING id", an_email())
    return UUID(str(user_id))


def a_chirp(client: FlaskClient, author: Person, body: str = "Hello") -> dict[str, Any]:
    """Post a chirp and return it."""
    response = client.post("/api/chirps", json={"body": body}, headers=author.access)
    chirp: dict[str, Any] = response.get_json()
    return chirp


def an_event(user_id: object, event: str = "user.upgraded", **more: Any) -> dict[str, Any]:
    """Return an event in the course's form. `id` and `timestamp` can be added."""
    return {"event": event, "data": {"user_id": str(user_id)}} | more


def an_id() -> str:
    """Return an event id that was not used before."""
    return f"evt_{uuid4().hex}"
