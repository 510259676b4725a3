"""The cost of a delivery: one statement that commits itself."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import URL

from tests.support.databases import Sql, an_app, use_cursor_class
from tests.support.deliveries import PATH
from tests.support.factories import API_KEY, a_user, an_event, an_id
from tests.support.statements import RecordingCursor, recorded_statements


@pytest.fixture(scope="module")
def recording_app(database_url: URL) -> Iterator[Flask]:
    with an_app(database_url) as app:
        use_cursor_class(app, RecordingCursor)
        yield app


@pytest.fixture
def app(recording_app: Flask, emptied_database: None) -> Flask:
    """Return an application that is connected."""
    recording_app.test_client().post(PATH, json={"event": "warm.up"}, headers=API_KEY)
    return recording_app


def cost(app: Flask, client: FlaskClient, event: dict[str, Any]) -> tuple[str, list[bool]]:
    """Deliver an event. Return the outcome or the status, and which statements autocommit."""
    with recorded_statements(app) as statements:
        response = client.post(PATH, json=event, headers=API_KEY)
    outcome = response.headers.get("Webhook-Outcome", response.status)
    return outcome, [statement.autocommit for statement in statements]


@pytest.mark.parametrize("event_id", [{"id": "evt_1"}, {}], ids=["with an id", "without an id"])
@pytest.mark.parametrize("event_type", ["user.upgraded", "user.downgraded"])
def test_new_event_and_its_duplicates_cost_one_statement_each(
    app: Flask, client: FlaskClient, sql: Sql, event_type: str, event_id: dict[str, str]
) -> None:
    event = an_event(a_user(sql), event_type, **event_id)

    costs = [cost(app, client, event) for _ in range(3)]

    assert costs == [("applied", [True]), ("duplicate", [True]), ("duplicate", [True])]


def test_event_that_is_ignored_costs_one_statement(app: Flask, client: FlaskClient) -> None:
    assert cost(app, client, {"event": "invoice.paid"}) == ("ignored", [True])


def test_delivery_that_the_database_refuses_costs_one_statement(
    app: Flask, client: FlaskClient, sql: Sql
) -> None:
    event = an_event(a_user(sql), id=an_id())
    cost(app, client, event)

    assert cost(app, client, event | {"event": "other"}) == ("409 CONFLICT", [True])
    assert cost(app, client, an_event(uuid4())) == ("404 NOT FOUND", [True])


def test_statement_is_built_once_and_not_for_each_delivery(
    app: Flask, client: FlaskClient, sql: Sql
) -> None:
    """The statement is the same object each time."""
    events = [
        an_event(a_user(sql)),
        an_event(a_user(sql), "user.downgraded", id=an_id()),
        an_event(a_user(sql), id=an_id(), timestamp="2026-01-31T12:00:00Z"),
    ]

    with recorded_statements(app) as statements:
        for event in events:
            client.post(PATH, json=event, headers=API_KEY)

    assert len(statements) == 3
    assert len({id(statement.query) for statement in statements}) == 1
