"""The order of arrival is irrelevant: in order, late, twice or concurrently, the result is one."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from threading import Barrier
from uuid import UUID

import pytest
from flask import Flask
from hypothesis import given, strategies as st
from sqlalchemy import URL

from chirpy.database import autocommit_pool
from chirpy.webhooks import receiving
from tests.support.accounts import WAITING_FOR_LOCK
from tests.support.databases import DELETE_ALL_ROWS, Sql, connected
from tests.support.deliveries import PATH
from tests.support.factories import API_KEY, an_event
from tests.support.server import wait_until

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
TIMES = [NOON, NOON + timedelta(microseconds=1), NOON + timedelta(hours=1)]
TYPES = ["user.upgraded", "user.downgraded"]
USERS = [str(UUID(int=number)) for number in range(3)]
# Ids that a locale, UTF-16 or a comparison without case would sort in another order.
IDS = st.text("aAbB-_ ~éÉ\uff5e\U0001f426", min_size=1, max_size=3)


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let deliveries wait for each other for as long as a busy machine needs."""
    monkeypatch.setattr(receiving, "MAX_WAIT", 30)
    monkeypatch.setattr(autocommit_pool, "POOL_TIMEOUT", 30)


@dataclass(frozen=True)
class Event:
    """An event about one of USERS."""

    id: str
    type: str
    user: str
    at: datetime

    @property
    def rank(self) -> tuple[datetime, bytes]:
        """Of two events about one user, the one with the greater rank is the later one."""
        return self.at, self.id.encode()


an_upgrade = Event("evt_1", TYPES[0], USERS[0], NOON)
events = st.builds(
    Event, IDS, st.sampled_from(TYPES), st.sampled_from(USERS), st.sampled_from(TIMES)
)


@st.composite
def storms(draw: st.DrawFn) -> list[Event]:
    """Return each event at least once, some several times, in any order."""
    once = draw(st.lists(events, min_size=1, max_size=8, unique_by=lambda event: event.id))
    duplicates = draw(st.lists(st.sampled_from(once), max_size=8))
    return draw(st.permutations(once + duplicates))


def insert_users(sql: Sql) -> None:
    """Insert USERS into a database that is empty, also if another example was run before."""
    sql(DELETE_ALL_ROWS)
    for user_id in USERS:
        sql("INSERT INTO users (id, email) VALUES (%s, %s)", user_id, f"{user_id}@example.com")


def deliver(app: Flask, event: Event, members: dict[str, str] | None = None) -> str:
    """Deliver an event with id and time, or with other members. Return the outcome."""
    if members is None:
        members = {"id": event.id, "timestamp": event.at.isoformat()}
    body = an_event(event.user, event.type, **members)
    response = app.test_client().post(PATH, json=body, headers=API_KEY)
    return response.headers.get("Webhook-Outcome", response.status)


def run_concurrently(call: Callable[[Event], str], storm: list[Event], threads: int) -> list[str]:
    """Call from several threads, none of which starts before all are ready."""
    threads = min(threads, len(storm))
    with ThreadPoolExecutor(threads, initializer=Barrier(threads).wait) as pool:
        return list(pool.map(call, storm))


def assert_same_as_in_order(sql: Sql, storm: list[Event]) -> None:
    """Assert that each user has the membership of the last event, and each event one row."""
    latest = {event.user: event for event in sorted(storm, key=lambda event: event.rank)}
    assert sorted(sql("SELECT user_id, is_chirpy_red, as_of, event_id FROM memberships")) == [
        (user, event.type == TYPES[0], event.at, event.id) for user, event in sorted(latest.items())
    ]
    assert Counter(sql("SELECT event_id, type, deliveries FROM webhook_events")) == Counter(
        (event.id, event.type, times) for event, times in Counter(storm).items()
    )


def expected_outcomes(storm: list[Event]) -> list[str]:
    """Return the outcome of each delivery, computed from all deliveries before it."""
    outcomes = []
    for position, event in enumerate(storm):
        before = storm[:position]
        is_stale = any(each.user == event.user and each.rank > event.rank for each in before)
        outcomes.append("duplicate" if event in before else "stale" if is_stale else "applied")
    return outcomes


@given(storm=storms())
def test_events_in_any_order_with_duplicates_have_the_result_of_the_right_order(
    app: Flask, sql: Sql, storm: list[Event]
) -> None:
    insert_users(sql)

    outcomes = [deliver(app, event) for event in storm]

    assert_same_as_in_order(sql, storm)
    assert outcomes == expected_outcomes(storm)


@given(storm=storms())
def test_concurrent_events_with_duplicates_have_the_result_of_the_right_order(
    app: Flask, sql: Sql, storm: list[Event]
) -> None:
    insert_users(sql)

    outcomes = run_concurrently(lambda event: deliver(app, event), storm, threads=8)

    assert_same_as_in_order(sql, storm)
    counted = [event for event, word in zip(storm, outcomes, strict=True) if word != "duplicate"]
    assert set(outcomes) <= {"applied", "stale", "duplicate"}
    assert Counter(counted) == Counter(set(storm))  # one delivery of each event counts


# A locale would sort the first two pairs in another order, and UTF-16 the third.
@pytest.mark.parametrize(
    ("lesser", "greater"), [("B", "a"), ("a-b", "aB"), ("\uff5e", "\U0001f426")], ids=ascii
)
@pytest.mark.parametrize("order", [1, -1], ids=["in order", "reversed"])
def test_event_with_the_greater_id_in_bytes_wins_at_the_same_time(
    app: Flask, sql: Sql, lesser: str, greater: str, order: int
) -> None:
    insert_users(sql)
    winner = replace(an_upgrade, id=greater)

    for event in [replace(an_upgrade, id=lesser, type=TYPES[1]), winner][::order]:
        deliver(app, event)

    assert sql("SELECT is_chirpy_red, event_id FROM memberships") == [(True, greater)]


@pytest.mark.parametrize("members", [{}, {"id": "evt_1"}, {"timestamp": NOON.isoformat()}], ids=str)
def test_fifty_concurrent_deliveries_of_one_event_take_effect_once(
    app: Flask, sql: Sql, members: dict[str, str]
) -> None:
    insert_users(sql)

    outcomes = run_concurrently(
        lambda event: deliver(app, event, members), [an_upgrade] * 50, threads=50
    )

    assert Counter(outcomes) == {"applied": 1, "duplicate": 49}
    assert sql("SELECT deliveries, outcome FROM webhook_events") == [(50, "applied")]
    assert sql("SELECT is_chirpy_red FROM memberships") == [(True,)]


@pytest.mark.parametrize(
    ("end", "expected", "deliveries"), [("COMMIT", "duplicate", 2), ("ROLLBACK", "applied", 1)]
)
def test_delivery_waits_for_the_end_of_a_concurrent_delivery_of_the_same_event(
    app: Flask, sql: Sql, database_url: URL, end: str, expected: str, deliveries: int
) -> None:
    insert_users(sql)
    with connected(database_url) as other, ThreadPoolExecutor(1) as pool:
        other("BEGIN")
        other("INSERT INTO webhook_events (event_id, type) VALUES (%s, 'x')", an_upgrade.id)
        outcome = pool.submit(deliver, app, an_upgrade)
        wait_until(lambda: sql(WAITING_FOR_LOCK))
        other(end)
        assert outcome.result() == expected

    assert sql("SELECT deliveries FROM webhook_events") == [(deliveries,)]
