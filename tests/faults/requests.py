"""The two requests whose promises are tested: a webhook, and a chirp with an Idempotency-Key."""

import json
import time
from abc import ABC, abstractmethod
from contextlib import closing
from datetime import UTC, datetime
from http.client import HTTPConnection, HTTPException
from typing import Any, NamedTuple
from uuid import UUID

from tests.faults.world import World
from tests.support.factories import API_KEY, a_user, an_event, an_id
from tests.support.json_routes import access_header
from tests.support.server import SECRETS

NO_ANSWER = 0


class Answer(NamedTuple):
    """The status of a response, or NO_ANSWER; whether it says that it is a duplicate; times."""

    status: int
    is_duplicate: bool
    start: float
    end: float


class Request(ABC):
    """A request about a new user, which can be sent repeatedly and concurrently."""

    success: int
    path: str
    headers: dict[str, str]
    body: dict[str, Any]
    duplicate_header: tuple[str, str]

    def __init__(self, world: World) -> None:
        self.world = world
        self.user_id = a_user(world.sql)

    @abstractmethod
    def committed(self) -> bool:
        """Return whether row and effect are in the database. Assert that none is there alone."""

    def send(self, *, half: bool = False) -> Answer:
        """Send the request once, or half of its body."""
        start = time.monotonic()
        status, duplicate = NO_ANSWER, False
        with closing(HTTPConnection("127.0.0.1", self.world.server.port, timeout=20)) as connection:
            self.world.clients.append(connection)
            try:
                body = json.dumps(self.body).encode()
                headers = self.headers | {"Content-Length": str(len(body))}
                connection.request("POST", self.path, body[: len(body) // (1 + half)], headers)
                response = connection.getresponse()
                response.read()
                name, value = self.duplicate_header
                status, duplicate = response.status, response.headers.get(name) == value
                assert status != 503 or response.headers["Retry-After"].isdecimal()
            except (OSError, HTTPException):
                assert time.monotonic() - start < 20, "no answer"
        return Answer(status, duplicate, start, time.monotonic())


class Delivery(Request):
    """A webhook that makes its user Chirpy Red."""

    success, path, headers = 204, "/api/polka/webhooks", API_KEY
    duplicate_header = ("Webhook-Outcome", "duplicate")

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.body = an_event(self.user_id, id=an_id(), timestamp=datetime.now(UTC).isoformat())

    def committed(self) -> bool:
        [[rows, effects]] = self.world.sql(
            "SELECT (SELECT count(*) FROM webhook_events WHERE user_id = %s), (SELECT count(*)"
            " FROM memberships WHERE user_id = %s AND event_id = %s AND is_chirpy_red)",
            *(str(self.user_id), str(self.user_id), self.body["id"]),
        )
        assert rows == effects <= 1
        return bool(rows)


class Post(Request):
    """A chirp with an Idempotency-Key. Its row is its effect."""

    success, path = 201, "/api/chirps"
    duplicate_header = ("Idempotency-Replayed", "true")

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.body = {"body": "Hello"}
        access = access_header(UUID(str(self.user_id)), SECRETS["JWT_SECRET"])
        self.headers = access | {"Idempotency-Key": an_id()}

    def committed(self) -> bool:
        [[rows]] = self.world.sql(
            "SELECT count(*) FROM chirps WHERE user_id = %s", str(self.user_id)
        )
        assert rows <= 1
        return bool(rows)
