"""The routes that read JSON, whoever knocks there, and what every refusal has in common."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import Any
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from chirpy.accounts import access_tokens
from tests.support.databases import Sql
from tests.support.factories import API_KEY, PASSWORD

LIMIT = 64 * 1024  # bytes that a body may have
# Headers that tell a client what to do next, each of one status alone.
NEXT_STEPS = {401: "WWW-Authenticate", 405: "Allow", 503: "Retry-After"}


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
    return {"Authorization": f"Bearer {access_tokens.issue(user_id, secret)}"}


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


Way = Callable[[bytes], dict[str, Any]]  # how a body comes: from it the rest of the request


def at_once(body: bytes) -> dict[str, Any]:
    """As it is, with its length."""
    return {"data": body}


def under_length(length: int) -> Way:
    """With this Content-Length, true or not; the client hangs up after the body."""
    return lambda body: at_once(body) | {"environ_overrides": {"CONTENT_LENGTH": str(length)}}


def in_chunks(body: bytes) -> dict[str, Any]:
    """Without a length, as the server hands it on."""
    return {
        "input_stream": BytesIO(body),
        "headers": {"Transfer-Encoding": "chunked"},
        "environ_overrides": {"wsgi.input_terminated": True},
    }


def in_chunks_that_break_off(body: bytes) -> dict[str, Any]:
    """Without a length, and the server finds the connection closed where a chunk should follow."""
    return in_chunks(body) | {"input_stream": BrokenOff(body)}


class BrokenOff(BytesIO):
    """Raises an error where another stream would end."""

    def read(self, size: int | None = -1) -> bytes:
        if piece := super().read(size):
            return piece
        raise ConnectionResetError


@contextmanager
def nothing_changes(sql: Sql) -> Iterator[None]:
    """Check that every row of every table is afterwards what it was before."""
    before = rows(sql)
    yield
    assert rows(sql) == before


def rows(sql: Sql) -> list[tuple[Any, ...]]:
    """Every row of every table. `xmin` differs once a row was written again, if with the same."""
    tables = sql("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    of_each = (f"SELECT '{name}', xmin::text, {name}::text FROM {name}" for [name] in tables)
    return sql(f"{' UNION ALL '.join(of_each)} ORDER BY 1, 2, 3")


def refusal(answer: TestResponse, status: int) -> dict[str, Any]:
    """What a refusal says, once it is known to have the form that all of them have."""
    assert answer.status_code == status, answer.get_data(as_text=True)
    assert answer.headers.getlist("Content-Type") == ["application/json"]
    assert answer.headers["X-Request-Id"]
    assert "Webhook-Outcome" not in answer.headers
    for its_status, name in NEXT_STEPS.items():
        assert len(answer.headers.getlist(name)) == (1 if its_status == status else 0), name
    said: dict[str, Any] = answer.get_json()
    assert said["error"]
    assert set(said) <= {"error", "hint", "fields"}
    return said
