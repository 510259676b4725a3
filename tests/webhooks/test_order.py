"""The order of arrival is irrelevant: in order, late, twice or concurrently, the result is one."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from threading import Barrier
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from hypothesis import given, strategies as st

from tests.support.databases import Sql
from tests.support.deliveries import PATH
from tests.support.factories import API_KEY, a_user, an_event

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
TIMES = [NOON, NOON + timedelta(microseconds=1), NOON + timedelta(hours=1)]
TYPES = ["user.upgraded", "user.downgraded"]
USERS = 3
EXAMPLES = count()


@dataclass(frozen=True)
class Event:
    """An event about one of USERS."""

    id: str
    type: str
    user: int
    at: datetime

    @property
    def rank(self) -> tuple[datetime, bytes]:
        """Of two events about one user, the one with the greater rank is the later one."""
        return self.at, self.id.encode()


# Ids that a locale, UTF-16 or a comparison without case would sort in another order.
ids = st.text("aAbB-_ ~éÉ\uff5e\U0001f426", min_size=1, max_size=3)
events = st.lists(
    st.builds(
        Event,
        id=ids,
        type=st.sampled_from(TYPES),
        user=st.integers(0, USERS - 1),
        at=st.sampled_from(TIMES),
    ),
    min_size=1,
    max_size=8,
    unique_by=lambda event: event.id,
)


@st.composite
def storms(draw: st.DrawFn) -> list[Event]:
    """Return each event at least once, some several times, in any order."""
    once = draw(events)
    duplicates = draw(st.lists(st.sampled_from(once), max_size=8))
    return draw(st.permutations(once + duplicates))


@dataclass(frozen=True)
class Receiver:
    """The application with the users of one example, and a prefix for this example's ids."""

    app: Flask
    sql: Sql
    users: list[UUID]
    prefix: str

    def deliver(self, event: Event) -> str:
        """Deliver an event with id and time. Return the outcome."""
        return self.post(event, id=self.prefix + event.id, timestamp=event.at.isoformat())

    def post(self, event: Event, **members: str) -> str:
        """Deliver an event with these members. Return the outcome."""
        response = self.app.test_client().post(
            PATH, json=an_event(self.users[event.user], event.type, **members), headers=API_KEY
        )
        return response.headers.get("Webhook-Outcome", response.status)

    def memberships(self) -> list[tuple[Any, ...]]:
        """Return colour, time and event of each user that has a membership."""
        users = [str(user_id) for user_id in self.users]
        return self.sql(
            "SELECT user_id, is_chirpy_red, as_of, event_id FROM memberships"
            " WHERE user_id = ANY(%s::uuid[]) ORDER BY array_position(%s::uuid[], user_id)",
            users,
            users,
        )

    def delivery_log(self) -> Counter[tuple[str, str]]:
        """Return how often each event was delivered, by id and type."""
        rows = self.sql(
            "SELECT event_id, type, deliveries FROM webhook_events WHERE starts_with(event_id, %s)",
            self.prefix,
        )
        assert len(rows) == len({event_id for event_id, *_ in rows})
        return Counter({(event_id, event_type): times for event_id, event_type, times in rows})

    def assert_same_as_in_order(self, storm: list[Event]) -> None:
        """Assert that each user has the membership of the last event, and each event one row."""
        latest = {event.user: event for event in sorted(storm, key=lambda event: event.rank)}
        assert self.memberships() == [
            (str(self.users[user]), event.type == TYPES[0], event.at, self.prefix + event.id)
            for user, event in sorted(latest.items())
        ]
        assert self.delivery_log() == Counter((self.prefix + each.id, each.type) for each in storm)


MakeReceiver = Callable[[], Receiver]


@pytest.fixture
def make_receiver(app: Flask, sql: Sql) -> MakeReceiver:
    return lambda: Receiver(app, sql, [a_user(sql) for _ in range(USERS)], f"{next(EXAMPLES)}:")


def run_concurrently(
    deliver: Callable[[Event], str], storm: list[Event], threads: int
) -> list[str]:
    """Deliver from several threads, none of which starts before all are ready."""
    threads = min(threads, len(storm))
    with ThreadPoolExecutor(threads, initializer=Barrier(threads).wait) as pool:
        return list(pool.map(deliver, storm))


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
    make_receiver: MakeReceiver, storm: list[Event]
) -> None:
    receiver = make_receiver()

    outcomes = [receiver.deliver(event) for event in storm]

    receiver.assert_same_as_in_order(storm)
    assert outcomes == expected_outcomes(storm)


@given(storm=storms())
def test_concurrent_events_with_duplicates_have_the_result_of_the_right_order(
    make_receiver: MakeReceiver, storm: list[Event]
) -> None:
    receiver = make_receiver()

    outcomes = run_concurrently(receiver.deliver, storm, threads=8)

    receiver.assert_same_as_in_order(storm)
    counted = [event for event, word in zip(storm, outcomes, strict=True) if word != "duplicate"]
    assert set(outcomes) <= {"applied", "stale", "duplicate"}
    assert Counter(counted) == Counter(set(storm))  # one delivery of each event counts


# A locale would sort the first two pairs in another order, and UTF-16 the third.
@pytest.mark.parametrize(
    ("lesser", "greater"), [("B", "a"), ("a-b", "aB"), ("\uff5e", "\U0001f426")], ids=ascii
)
@pytest.mark.parametrize("order", [1, -1], ids=["in order", "reversed"])
def test_event_with_the_greater_id_in_bytes_wins_at_the_same_time(
    make_receiver: MakeReceiver, lesser: str, greater: str, order: int
) -> None:
    receiver = make_receiver()
    winner = Event(greater, TYPES[0], 0, NOON)

    for event in [replace(winner, id=lesser, type=TYPES[1]), winner][::order]:
        receiver.deliver(event)

    [[_, is_red, _, event_id]] = receiver.memberships()
    assert (is_red, event_id) == (True, receiver.prefix + greater)


@pytest.mark.parametrize("members", [{}, {"id": "evt_1"}, {"timestamp": NOON.isoformat()}], ids=str)
def test_fifty_concurrent_deliveries_of_one_event_take_effect_once(
    make_receiver: MakeReceiver, sql: Sql, members: dict[str, str]
) -> None:
    receiver = make_receiver()
    upgrade = Event("", TYPES[0], 0, NOON)

    outcomes = run_concurrently(
        lambda event: receiver.post(event, **members), [upgrade] * 50, threads=50
    )

    assert Counter(outcomes) == {"applied": 1, "duplicate": 49}
    assert sql("SELECT deliveries, outcome FROM webhook_events") == [(50, "applied")]
    assert [is_red for _, is_red, *_ in receiver.memberships()] == [True]
