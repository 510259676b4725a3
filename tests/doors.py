"""The routes that read JSON, whoever knocks there, and what every refusal has in common."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import Any
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from chirpy.accounts import tokens
from tests.conftest import Sql
from tests.factories import API_KEY, PASSWORD

TABLES = ("users", "refresh_tokens", "memberships", "chirps", "webhook_events")


@dataclass(frozen=True)
class Door:
    """A route that reads JSON, a body that can be right, and the status of its answer."""

    method: str
    path: str
    good: dict[str, Any]
    status: int

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


ANYBODY = {"email": "walt@example.com", "password": PASSWORD}
DOORS = [
    Door("POST", "/api/users", ANYBODY, 201),
    Door("PUT", "/api/users", ANYBODY, 200),
    Door("POST", "/api/login", ANYBODY, 401),  # nobody has signed up
    Door("POST", "/api/chirps", {"body": "Hello"}, 201),
    Door("POST", "/api/validate_chirp", {"body": "Hello"}, 200),
    Door("POST", "/api/polka/webhooks", {"event": "invoice.paid"}, 204),
]
FIELDS = [(door, name) for door in DOORS for name in door.good]

every_door = pytest.mark.parametrize("door", DOORS, ids=str)
every_field = pytest.mark.parametrize(("door", "field"), FIELDS, ids=str)


def access_of(user_id: UUID, secret: str) -> dict[str, str]:
    """The header that lets a user in, without the cost of a login."""
    return {"Authorization": f"Bearer {tokens.issue_access(user_id, secret)}"}


@dataclass(frozen=True)
class Visitor:
    """Knocks with whatever credentials a door asks for, so that the rest is what decides."""

    client: FlaskClient
    access: dict[str, str]

    def knock(self, door: Door, **request: Any) -> TestResponse:
        """Send a request to `door`."""
        credentials = API_KEY if "polka" in door.path else self.access
        headers = credentials | request.pop("headers", {})
        return self.client.open(door.path, method=door.method, headers=headers, **request)


def in_chunks(body: bytes) -> dict[str, Any]:
    """A request without a length, as the server hands it on."""
    return {
        "input_stream": BytesIO(body),
        "headers": {"Transfer-Encoding": "chunked"},
        "environ_overrides": {"wsgi.input_terminated": True},
    }


@contextmanager
def nothing_changes(sql: Sql) -> Iterator[None]:
    """Check that every row of every table is afterwards what it was before."""
    before = [sql(f"SELECT * FROM {table}") for table in TABLES]
    yield
    assert [sql(f"SELECT * FROM {table}") for table in TABLES] == before


def refusal(answer: TestResponse, status: int) -> dict[str, Any]:
    """What a refusal says, once it is known to have the form that all of them have."""
    assert answer.status_code == status, answer.get_data(as_text=True)
    assert answer.content_type == "application/json"
    said: dict[str, Any] = answer.get_json()
    assert said["error"]
    assert set(said) <= {"error", "hint", "fields"}
    return said
