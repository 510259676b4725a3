"""Refused deliveries: the response says why, except about credentials, and nothing changes.

Errors of the database are in tests/database, truncated requests to a real server in tests/server.
"""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import URL
from werkzeug.test import TestResponse

from tests.support.assertions import assert_error, database_unchanged
from tests.support.credentials import SETTINGS, WRONG, Credentials
from tests.support.databases import Sql, an_app, use_cursor_class
from tests.support.deliveries import (
    AFTER_CREDENTIALS,
    BEFORE_CREDENTIALS,
    KNOWN_EVENT,
    KNOWN_USER,
    PATH,
    REFUSED_BY_DATABASE,
    Delivery,
)
from tests.support.factories import API_KEY
from tests.support.statements import RecordingCursor, recorded_statements


@pytest.fixture(scope="module")
def receivers(database_url: URL, session_sql: Sql) -> Iterator[dict[str, Flask]]:
    """Yield an application for each of SETTINGS, all with one database that has an event.

    No test of this module changes it, so it is filled once.
    """
    with ExitStack() as stack:
        apps = {
            name: stack.enter_context(an_app(database_url, **SETTINGS[name])) for name in SETTINGS
        }
        for app in apps.values():
            use_cursor_class(app, RecordingCursor)
        new_user = (str(KNOWN_USER), "known@example.com")
        session_sql("INSERT INTO users (id, email) VALUES (%s, %s)", *new_user)
        response = apps["a key"].test_client().post(PATH, json=KNOWN_EVENT, headers=API_KEY)
        assert response.status_code == 204
        yield apps
        session_sql("TRUNCATE users, webhook_events CASCADE")


@pytest.fixture
def emptied_database() -> None:
    """Keep what the fixture `receivers` inserted."""


@pytest.fixture
def app(receivers: dict[str, Flask]) -> Flask:
    return receivers["a key"]


REFUSED = BEFORE_CREDENTIALS | AFTER_CREDENTIALS


@pytest.mark.parametrize(("name", "delivery"), REFUSED.items(), ids=REFUSED)
def test_refused_delivery_names_the_field_and_changes_nothing(
    app: Flask, client: FlaskClient, sql: Sql, name: str, delivery: Delivery
) -> None:
    with database_unchanged(sql), recorded_statements(app) as statements:
        response = delivery.send(client, API_KEY)

    error = assert_error(response, delivery.status)
    assert tuple(error.get("fields", ())) == delivery.fields
    assert len(statements) == (name in REFUSED_BY_DATABASE)


# Wrong credentials

KEY_HINT = (
    "Send `Authorization: ApiKey <key>` (not Bearer), and compare the key with POLKA_KEY in .env"
)
SIGNATURE_HINT = "Sign each attempt with one of POLKA_WEBHOOK_SECRETS in .env and the current time"
HINTS = {
    "a key": KEY_HINT,
    "a signature": SIGNATURE_HINT,
    "both": f"{KEY_HINT}. {SIGNATURE_HINT}",
}


IN_EVERY_RESPONSE = ["X-Request-Id", "X-Content-Type-Options", "Vary"]


def expected_response(required: str) -> tuple[int, dict[str, str], bytes]:
    """Return the one response to all wrong credentials of a receiver."""
    body = f'{{"error":"Authentication failed","hint":"{HINTS[required]}"}}\n'
    headers = {"Content-Type": "application/json", "Content-Length": str(len(body))}
    return 401, headers | {"WWW-Authenticate": 'ApiKey realm="polka"'}, body.encode()


def all_of(response: TestResponse) -> tuple[int, dict[str, str], bytes]:
    """Return everything in a response except the request's id and what every response has."""
    headers = dict(response.headers)
    assert len(headers) == len(response.headers)
    for name in IN_EVERY_RESPONSE:
        assert headers.pop(name)
    return response.status_code, headers, response.data


# A valid event, and one that fails each of the checks after that of the credentials.
BODIES = {"a valid event": Delivery(204)} | {
    name: AFTER_CREDENTIALS[name]
    for name in ("nothing", "no data", "unknown user, without an id", "known id, another type")
}


@pytest.mark.parametrize(
    ("required", "credentials"),
    [
        pytest.param(required, credentials, id=f"{name}, {required} is required")
        for required, wrong in WRONG.items()
        for name, credentials in wrong.items()
    ],
)
def test_wrong_credentials_get_one_response_for_all_bodies_and_use_no_database(
    receivers: dict[str, Flask], sql: Sql, required: str, credentials: Credentials
) -> None:
    app = receivers[required]

    with database_unchanged(sql), recorded_statements(app) as statements:
        responses = {
            name: delivery.send(app.test_client(), credentials(delivery.body))
            for name, delivery in BODIES.items()
        }

    assert statements == []
    for name, response in responses.items():
        assert all_of(response) == expected_response(required), name


@pytest.mark.parametrize("delivery", BEFORE_CREDENTIALS.values(), ids=BEFORE_CREDENTIALS)
def test_delivery_refused_before_credentials_gets_one_response_with_any_credentials(
    app: Flask, client: FlaskClient, sql: Sql, delivery: Delivery
) -> None:
    with database_unchanged(sql), recorded_statements(app) as statements:
        expected = all_of(delivery.send(client, API_KEY))
        for name, credentials in WRONG["a key"].items():
            assert all_of(delivery.send(client, credentials(b""))) == expected, name

    assert statements == []
