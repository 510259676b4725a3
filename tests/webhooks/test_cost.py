"""What a delivery costs: one statement, which commits itself, and nothing at all for a stranger."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, ClassVar
from uuid import uuid4

import pytest
from flask import Flask
from psycopg2 import extensions
from sqlalchemy import URL, event
from werkzeug.test import TestResponse

from chirpy.database.engine import db
from tests.support.bodies import chunked
from tests.support.databases import Sql, an_app, use_cursor_class
from tests.support.factories import API_KEY, a_user, an_event, an_id

PATH = "/api/polka/webhooks"
TAKEN, SENT = "connection taken", "statement that commits itself"

Deliver = Callable[..., TestResponse]


class Cost:
    """What an application did, step by step, and which statements it sent."""

    def __init__(self) -> None:
        self.steps: list[str] = []
        self.statements: list[object] = []


class Counting(extensions.cursor):
    """Counts what Postgres is told."""

    cost: ClassVar[Cost] = Cost()

    def execute(self, query: Any, vars: Any = None) -> None:  # noqa: A002 - psycopg2's name
        """Tell Postgres, and count it."""
        commits = self.connection.autocommit
        self.cost.steps.append(SENT if commits else "statement of a transaction")
        self.cost.statements.append(query)
        super().execute(query, vars)


@pytest.fixture(scope="module")
def counting_app(database_url: URL) -> Iterator[Flask]:
    with an_app(database_url) as app:
        use_cursor_class(app, Counting)
        yield app


@pytest.fixture
def app(counting_app: Flask, emptied_database: None) -> Flask:
    return counting_app


@contextmanager
def counted(app: Flask) -> Iterator[Cost]:
    """Count what `app` does meanwhile."""
    Counting.cost = cost = Cost()
    with app.app_context():
        engine = db.engine

    def take(*_: object) -> None:
        cost.steps.append(TAKEN)

    event.listen(engine, "checkout", take)
    try:
        yield cost
    finally:
        event.remove(engine, "checkout", take)


@pytest.fixture
def deliver(app: Flask) -> Deliver:
    def post(given: dict[str, Any]) -> TestResponse:
        return app.test_client().post(PATH, data=json.dumps(given), headers=API_KEY)

    post({"event": "warm.up"})  # the first one connects
    return post


def test_a_new_event_costs_one_statement(app: Flask, deliver: Deliver, sql: Sql) -> None:
    upgrade = an_event(a_user(sql), id=an_id())

    with counted(app) as cost:
        answer = deliver(upgrade)

    assert answer.headers["Webhook-Outcome"] == "applied"
    assert cost.steps == [SENT]


def test_so_does_a_repeat(app: Flask, deliver: Deliver, sql: Sql) -> None:
    upgrade = an_event(a_user(sql), id=an_id())
    deliver(upgrade)

    with counted(app) as cost:
        answer = deliver(upgrade)

    assert answer.headers["Webhook-Outcome"] == "duplicate"
    assert cost.steps == [SENT]


def test_so_does_an_event_that_is_ignored(app: Flask, deliver: Deliver) -> None:
    with counted(app) as cost:
        answer = deliver({"event": "invoice.paid"})

    assert answer.headers["Webhook-Outcome"] == "ignored"
    assert cost.steps == [SENT]


@pytest.mark.parametrize("event_type", ["user.upgraded", "user.downgraded"])
def test_without_an_id_no_repeat_costs_more_than_the_first(
    app: Flask, deliver: Deliver, sql: Sql, event_type: str
) -> None:
    given = an_event(a_user(sql), event_type)

    with counted(app) as cost:
        answers = [deliver(given) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [204] * 3
    assert cost.steps == [SENT] * 3


def test_what_is_refused_by_the_database_costs_no_more(
    app: Flask, deliver: Deliver, sql: Sql
) -> None:
    upgrade = an_event(user_id := a_user(sql), id=an_id())
    deliver(upgrade)

    with counted(app) as cost:
        other = deliver(an_event(user_id, "user.downgraded", id=upgrade["id"]))
        nobody = deliver(an_event(uuid4()))

    assert (other.status_code, nobody.status_code) == (409, 404)
    assert cost.steps == [SENT] * 2


GOOD = {"data": b'{"event":"invoice.paid"}', "headers": API_KEY}
TURNED_AWAY: dict[str, tuple[dict[str, Any], int]] = {
    "no credentials": (GOOD | {"headers": {}}, 401),
    "the wrong key": (GOOD | {"headers": {"Authorization": "ApiKey guessed"}}, 401),
    "no credentials and no JSON": ({"data": b"{"}, 401),
    "no JSON": (GOOD | {"data": b"{"}, 400),
    "no event": (GOOD | {"data": b"{}"}, 400),
    "no user": (GOOD | {"data": b'{"event":"user.upgraded"}'}, 400),
    "too large": (GOOD | {"data": b" " * 65537}, 413),
    "too large, in chunks": (chunked(b" " * 65537), 413),
    "another method": (GOOD | {"method": "PUT"}, 405),
}


@pytest.mark.parametrize(("send", "status"), TURNED_AWAY.values(), ids=TURNED_AWAY)
def test_what_can_be_refused_without_the_database_takes_no_connection(
    app: Flask, send: dict[str, Any], status: int
) -> None:
    with counted(app) as cost:
        answer = app.test_client().open(PATH, **{"method": "POST"} | send)

    assert answer.status_code == status
    assert cost.steps == []


def test_the_statements_are_built_once_and_not_at_each_request(
    app: Flask, deliver: Deliver, sql: Sql
) -> None:
    """The very same objects come again, whatever the event says."""
    events = [
        an_event(a_user(sql)),
        an_event(a_user(sql), "user.downgraded", id=an_id()),
        an_event(a_user(sql), id=an_id(), timestamp="2026-01-31T12:00:00Z"),
    ]

    costs = []
    for given in events:
        with counted(app) as cost:
            deliver(given)
        costs.append(cost)

    assert [len(cost.statements) for cost in costs] == [1] * 3
    for cost in costs[1:]:
        for statement, first in zip(cost.statements, costs[0].statements, strict=True):
            assert statement is first
