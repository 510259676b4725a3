"""The routes that read JSON, and a client that is authorized for each of them."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from chirpy.accounts import access_tokens
from tests.support.factories import API_KEY, PASSWORD


@dataclass(frozen=True)
class JsonRoute:
    """A route that reads JSON, a valid body, and the status of the response to it."""

    method: str
    path: str
    valid: dict[str, Any]
    status: int

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


CREDENTIALS = {"email": "walt@example.com", "password": PASSWORD}
JSON_ROUTES = [
    JsonRoute("POST", "/api/users", CREDENTIALS, 201),
    JsonRoute("PUT", "/api/users", CREDENTIALS, 200),
    JsonRoute("POST", "/api/login", CREDENTIALS, 401),  # no such user
    JsonRoute("POST", "/api/chirps", {"body": "Hello"}, 201),
    JsonRoute("POST", "/api/validate_chirp", {"body": "Hello"}, 200),
    JsonRoute("POST", "/api/polka/webhooks", {"event": "invoice.paid"}, 204),
]
FIELDS = [(route, name) for route in JSON_ROUTES for name in route.valid]

every_json_route = pytest.mark.parametrize("route", JSON_ROUTES, ids=str)
every_field = pytest.mark.parametrize(("route", "field"), FIELDS, ids=str)


def access_header(user_id: UUID, secret: str) -> dict[str, str]:
    """Return the header with a user's access token, without the cost of a login."""
    return {"Authorization": f"Bearer {access_tokens.issue(user_id, secret)}"}


@dataclass(frozen=True)
class AuthorizedClient:
    """Sends to each route the credentials that it requires, so that only the body can be wrong."""

    client: FlaskClient
    access: dict[str, str]

    def send(self, route: JsonRoute, **request: Any) -> TestResponse:
        """Send a request to `route`."""
        credentials = API_KEY if "polka" in route.path else self.access
        headers = credentials | request.pop("headers", {})
        return self.client.open(route.path, method=route.method, headers=headers, **request)
