"""Requests of the account tests, and what their responses have in common."""

from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.support.assertions import assert_error
from tests.support.factories import API_KEY, PASSWORD, an_event

USER_KEYS = ["id", "created_at", "updated_at", "email", "is_chirpy_red"]
WAITING_FOR_LOCK = """SELECT pid FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock'"""


def sign_up(client: FlaskClient, email: str, password: str = PASSWORD) -> TestResponse:
    """Send POST /api/users."""
    return client.post("/api/users", json={"email": email, "password": password})


def log_in(client: FlaskClient, email: str, password: str = PASSWORD) -> TestResponse:
    """Send POST /api/login."""
    return client.post("/api/login", json={"email": email, "password": password})


def upgrade(client: FlaskClient, user_id: str) -> None:
    """Make a user Chirpy Red."""
    client.post("/api/polka/webhooks", json=an_event(user_id), headers=API_KEY)


def assert_unauthorized(response: TestResponse) -> dict[str, Any]:
    """Return the JSON of a 401 response, after checking its challenge."""
    body = assert_error(response, 401)
    assert response.headers["WWW-Authenticate"] == 'Bearer realm="chirpy"'
    return body
