"""Events without a time count in the order of arrival, also mixed with dated ones."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given, strategies as st

from chirpy.webhooks.meaning import make_key
from chirpy.webhooks.schemas import read_event
from tests.support.databases import DELETE_ALL_ROWS, Sql
from tests.support.deliveries import PATH
from tests.support.factories import API_KEY, a_user, an_event

TICK = timedelta(microseconds=1)
AHEAD = timedelta(minutes=4)  # as far as a sender's clock may be, nearly
TIMES = [None, -AHEAD, TICK - AHEAD, AHEAD, AHEAD + TICK, AHEAD + 2 * TICK]
COLOURS = {"user.upgraded": True, "user.downgraded": False}


@dataclass(frozen=True)
class Event:
    """An event about one of two users. `at` is relative to the start; id and time can lack."""

    id: str | None
    type: str
    user: int
    at: timedelta | None


@dataclass
class Model:
    """The rule of receive_event.sql for events with an effect, in Python."""

    outcomes: dict[str, tuple[Event, str, int]] = field(default_factory=dict)
    memberships: dict[int, tuple[datetime, str, bool]] = field(default_factory=dict)

    def deliver(self, event: Event, key: str, start: datetime, arrival: datetime) -> str:
        """Return the answer to a delivery, after its effect."""
        red, stored = COLOURS[event.type], self.memberships.get(event.user)
        known, outcome, deliveries = self.outcomes.get(key, (event, "", 0))
        if (known.type, known.user) != (event.type, event.user):
            return "409 CONFLICT"
        answer = "duplicate"
        if not deliveries or not (event.id or event.at):
            if event.at is None:
                time = max(arrival, stored[0] + TICK) if stored else arrival
            else:
                time = start + event.at
            is_later = stored is None or event.at is None or (time, key) > stored[:2]
            outcome = "applied" if is_later else "stale"
            answer = "duplicate" if deliveries and stored and stored[2] == red else outcome
            if is_later:
                self.memberships[event.user] = (time, key, red)
        self.outcomes[key] = (known, outcome, deliveries + 1)
        return answer


events = st.builds(
    Event,
    st.sampled_from([None, "A", "b", "é"]),
    st.sampled_from([*COLOURS]),
    st.integers(0, 1),
    st.sampled_from(TIMES),
)


def deliver(client: FlaskClient, event: dict[str, Any]) -> str:
    """Return the outcome of a delivery, or the status of a refusal."""
    response = client.post(PATH, json=event, headers=API_KEY)
    return response.headers.get("Webhook-Outcome", response.status)


@given(deliveries=st.lists(events, min_size=1, max_size=12))
def test_dated_and_undated_events_have_the_results_of_the_model(
    client: FlaskClient, sql: Sql, deliveries: list[Event]
) -> None:
    sql(DELETE_ALL_ROWS)
    users, start, model = [a_user(sql), a_user(sql)], datetime.now(UTC), Model()
    for number, event in enumerate(deliveries):
        members = {"id": event.id, "timestamp": event.at and (start + event.at).isoformat()}
        body = an_event(users[event.user], event.type, **members)

        outcome = deliver(client, body)

        assert outcome == model.deliver(event, key_of(body), start, start + number * TICK)
    assert dict(sql("SELECT user_id, (event_id, is_chirpy_red)::text FROM memberships")) == {
        str(users[user]): f"({key},{'t' if red else 'f'})"
        for user, (_, key, red) in model.memberships.items()
    }
    assert sorted(sql("SELECT event_id, outcome, deliveries FROM webhook_events")) == sorted(
        (key, outcome, count) for key, (_, outcome, count) in model.outcomes.items()
    )


def key_of(body: dict[str, Any]) -> str:
    """Return the id of an event, or its made key."""
    event = read_event(body, None)
    return event.event_id or make_key(event)


# `later` is the time of a dated event ahead of us, or of one stored before our clock stepped back.
@pytest.mark.parametrize("members", [{}, {"id": "evt_1"}], ids=["without id", "with id"])
@pytest.mark.parametrize(
    ("later", "stored"),
    [
        ("2300-01-01T00:00:00Z", "2300-01-01T00:00:00.000001Z"),
        ("9999-12-31T00:00:00Z", "9999-12-31T00:00:00.000001Z"),
        ("294276-12-31T23:59:59.999999Z", "9999-12-31T00:00:00.000001Z"),
        ("infinity", "9999-12-31T00:00:00.000001Z"),
    ],
)
def test_undated_event_is_applied_after_whatever_time_is_stored(
    client: FlaskClient, sql: Sql, later: str, stored: str, members: dict[str, str]
) -> None:
    user_id = a_user(sql)
    sql("INSERT INTO memberships VALUES (%s, true, %s, 'x')", str(user_id), later)

    assert deliver(client, an_event(user_id, "user.downgraded", **members)) == "applied"
    assert sql("SELECT is_chirpy_red, as_of = %s FROM memberships", stored) == [(False, True)]


def test_concurrent_undated_events_are_applied_one_after_the_other(app: Flask, sql: Sql) -> None:
    user_id = a_user(sql)
    sql("INSERT INTO memberships VALUES (%s, true, '2300-01-01Z', 'x')", str(user_id))
    events = [an_event(user_id, [*COLOURS][number % 2], id=f"{number}") for number in range(20)]

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(lambda event: deliver(app.test_client(), event), events))

    assert outcomes == ["applied"] * 20
    [(red, event_id, is_last)] = sql(
        "SELECT is_chirpy_red, event_id, as_of = '2300-01-01Z'::timestamptz + %s FROM memberships",
        20 * TICK,
    )
    assert is_last
    assert red == (int(event_id) % 2 == 0)
