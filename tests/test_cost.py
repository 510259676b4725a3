"""What a delivery costs: one statement, which commits itself, and nothing at all for a stranger."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy import event
from werkzeug.test import TestResponse

from chirpy.database import db
from tests.databases import Sql
from tests.doors import in_chunks
from tests.factories import API_KEY, a_user, an_event, an_id

PATH = "/api/polka/webhooks"
TAKEN, SENT = "connection taken", "statement that commits itself"

Deliver = Callable[..., TestResponse]


class Cost:
    """What an engine did, step by step, and which statements it was given."""

    def __init__(self) -> None:
        self.steps: list[str] = []
        self.statements: list[Any] = []

    def listeners(self) -> dict[str, Callable[..., None]]:
        """What to call for each event of an engine."""
        return {
            "checkout": lambda *_: self.steps.append(TAKEN),
            "before_execute": lambda _connection, statement, *_: self.statements.append(statement),
            "before_cursor_execute": lambda _, cursor, *__: self.steps.append(
                SENT if cursor.connection.autocommit else "statement of a transaction"
            ),
        }


@contextmanager
def counted(app: Flask) -> Iterator[Cost]:
    """Count what the engine of `app` does meanwhile."""
    cost = Cost()
    listeners = cost.listeners()
    with app.app_context():
        engine = db.engine
    for name, listener in listeners.items():
        event.listen(engine, name, listener)
    try:
        yield cost
    finally:
        for name, listener in listeners.items():
            event.remove(engine, name, listener)


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
    assert cost.steps == [TAKEN, SENT]


def test_so_does_a_repeat(app: Flask, deliver: Deliver, sql: Sql) -> None:
    upgrade = an_event(a_user(sql), id=an_id())
    deliver(upgrade)

    with counted(app) as cost:
        answer = deliver(upgrade)

    assert answer.headers["Webhook-Outcome"] == "duplicate"
    assert cost.steps == [TAKEN, SENT]


def test_so_does_an_event_that_is_ignored(app: Flask, deliver: Deliver) -> None:
    with counted(app) as cost:
        answer = deliver({"event": "invoice.paid"})

    assert answer.headers["Webhook-Outcome"] == "ignored"
    assert cost.steps == [TAKEN, SENT]


@pytest.mark.parametrize("event_type", ["user.upgraded", "user.downgraded"])
def test_without_an_id_no_repeat_costs_more_than_the_first(
    app: Flask, deliver: Deliver, sql: Sql, event_type: str
) -> None:
    given = an_event(a_user(sql), event_type)

    with counted(app) as cost:
        answers = [deliver(given) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [204] * 3
    assert cost.steps == [TAKEN, SENT] * 3


def test_what_is_refused_by_the_database_costs_no_more(
    app: Flask, deliver: Deliver, sql: Sql
) -> None:
    upgrade = an_event(user_id := a_user(sql), id=an_id())
    deliver(upgrade)

    with counted(app) as cost:
        other = deliver(an_event(user_id, "user.downgraded", id=upgrade["id"]))
        nobody = deliver(an_event(uuid4()))

    assert (other.status_code, nobody.status_code) == (409, 404)
    assert cost.steps == [TAKEN, SENT] * 2


GOOD = {"data": b'{"event":"invoice.paid"}', "headers": API_KEY}
TURNED_AWAY: dict[str, tuple[dict[str, Any], int]] = {
    "no credentials": (GOOD | {"headers": {}}, 401),
    "the wrong key": (GOOD | {"headers": {"Authorization": "ApiKey guessed"}}, 401),
    "no credentials and no JSON": ({"data": b"{"}, 401),
    "no JSON": (GOOD | {"data": b"{"}, 400),
    "no event": (GOOD | {"data": b"{}"}, 400),
    "no user": (GOOD | {"data": b'{"event":"user.upgraded"}'}, 400),
    "too large": (GOOD | {"data": b" " * 65537}, 413),
    "too large, in chunks": (in_chunks(b" " * 65537), 413),
    "another method": (GOOD | {"method": "PUT"}, 405),
}


@pytest.mark.parametrize(("knock", "status"), TURNED_AWAY.values(), ids=TURNED_AWAY)
def test_what_can_be_refused_without_the_database_takes_no_connection(
    app: Flask, knock: dict[str, Any], status: int
) -> None:
    with counted(app) as cost:
        answer = app.test_client().open(PATH, **{"method": "POST"} | knock)

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
