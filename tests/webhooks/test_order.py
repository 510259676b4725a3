"""What the order of arrival can't do: first, last, late, twice or at once, the end is the same."""

import json
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from threading import Barrier
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from hypothesis import given, settings, strategies as st
from werkzeug.test import TestResponse

from tests.support.databases import Sql
from tests.support.factories import API_KEY, a_user, an_event, an_id

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
MOMENTS = [timedelta(), timedelta(microseconds=1), timedelta(hours=1)]
TYPES = ["user.upgraded", "user.downgraded"]
USERS = 3
EXAMPLES = count()


@dataclass(frozen=True)
class Happening:
    """What happened to one of a few users, at one of a few moments."""

    id: str
    type: str
    user: int
    at: datetime

    @property
    def rank(self) -> tuple[datetime, bytes]:
        """Which of two is the later one, whichever came first."""
        return self.at, self.id.encode()


# Ids that a locale, UTF-16 or a comparison without case would sort in another order.
ids = st.text("aAbB-_ ~éÉ\uff5e\U0001f426", min_size=1, max_size=3)
happenings = st.lists(
    st.builds(
        Happening,
        id=ids,
        type=st.sampled_from(TYPES),
        user=st.integers(0, USERS - 1),
        at=st.sampled_from([NOON + moment for moment in MOMENTS]),
    ),
    min_size=1,
    max_size=8,
    unique_by=lambda happening: happening.id,
)


@st.composite
def storms(draw: st.DrawFn) -> list[Happening]:
    """Every happening at least once, some several times, in any order."""
    happened = draw(happenings)
    repeats = draw(st.lists(st.sampled_from(happened), max_size=8))
    return draw(st.permutations(happened + repeats))


@dataclass(frozen=True)
class World:
    """The application with a few users of one example, and ids that no other example has."""

    app: Flask
    sql: Sql
    users: list[UUID]
    example: str

    def deliver(self, happening: Happening) -> TestResponse:
        """Tell Chirpy what happened."""
        return self.post(
            an_event(
                self.users[happening.user],
                happening.type,
                id=self.example + happening.id,
                timestamp=happening.at.isoformat(),
            )
        )

    def post(self, event: dict[str, Any]) -> TestResponse:
        """Deliver an event as it is."""
        return self.app.test_client().post(
            "/api/polka/webhooks", data=json.dumps(event), headers=API_KEY
        )

    def memberships(self) -> list[tuple[Any, ...]]:
        """Red or not, since when, by which event, of each user who ever heard of it."""
        return self.sql(
            "SELECT user_id, is_chirpy_red, as_of, event_id FROM memberships"
            " WHERE user_id = ANY(%s::uuid[]) ORDER BY array_position(%s::uuid[], user_id)",
            *[[str(user_id) for user_id in self.users]] * 2,
        )

    def events(self) -> dict[str, tuple[str, int]]:
        """Type and number of deliveries of each event, by its id."""
        rows = self.sql(
            "SELECT event_id, type, deliveries FROM webhook_events WHERE starts_with(event_id, %s)",
            self.example,
        )
        assert len(rows) == len({event_id for event_id, *_ in rows})
        return {event_id.removeprefix(self.example): tuple(rest) for event_id, *rest in rows}

    def forget(self) -> None:
        """Make the users new again."""
        for table in ("memberships", "webhook_events"):
            users = [str(user_id) for user_id in self.users]
            self.sql(f"DELETE FROM {table} WHERE user_id = ANY(%s::uuid[])", users)

    def is_as_if_in_order(self, storm: list[Happening]) -> None:
        """Check the end of `storm`: of each user the latest happening, of each event one row."""
        times = Counter(storm)
        last = [
            max((it for it in times if it.user == user), key=lambda it: it.rank, default=None)
            for user in range(USERS)
        ]
        assert self.memberships() == [
            (str(self.users[it.user]), it.type == TYPES[0], it.at, self.example + it.id)
            for it in last
            if it
        ]
        assert self.events() == {it.id: (it.type, times[it]) for it in times}


Worlds = Callable[[], World]


@pytest.fixture
def a_world(app: Flask, sql: Sql) -> Worlds:
    return lambda: World(app, sql, [a_user(sql) for _ in range(USERS)], f"{next(EXAMPLES)}:")


def at_once(act: Callable[[Any], Any], things: list[Any], threads: int) -> list[Any]:
    """Do it to each, from several threads, none of which starts before all are ready."""
    threads = min(threads, len(things))
    with ThreadPoolExecutor(threads, initializer=Barrier(threads).wait) as pool:
        return list(pool.map(act, things))


def outcome(answer: TestResponse) -> str:
    assert answer.status_code == 204, answer.get_data(as_text=True)
    return answer.headers["Webhook-Outcome"]


def expected_outcomes(storm: list[Happening]) -> list[str]:
    """What each delivery is told, by a receiver that remembers all that came before it."""
    told = []
    for place, it in enumerate(storm):
        before = storm[:place]
        later = [other for other in before if other.user == it.user and other.rank > it.rank]
        told.append("duplicate" if it in before else "stale" if later else "applied")
    return told


@given(storm=storms())
def test_any_order_with_any_repetition_ends_in_the_same_state(
    a_world: Worlds, storm: list[Happening]
) -> None:
    world = a_world()

    outcomes = [outcome(world.deliver(it)) for it in storm]

    world.is_as_if_in_order(storm)
    assert outcomes == expected_outcomes(storm)


@given(storm=storms())
def test_so_does_everything_at_once(a_world: Worlds, storm: list[Happening]) -> None:
    world = a_world()

    outcomes = [outcome(answer) for answer in at_once(world.deliver, storm, threads=8)]

    world.is_as_if_in_order(storm)
    first = [event for event, told in zip(storm, outcomes, strict=True) if told != "duplicate"]
    assert Counter(first) == Counter(set(storm))  # of each event, one delivery counted


@settings(max_examples=15)
@given(st.data())
def test_events_with_a_time_and_no_id_need_no_order_either(
    a_world: Worlds, data: st.DataObject
) -> None:
    """Of two at the same moment the one wins whose key, made of what it says, is the greater."""
    storm = data.draw(storms())
    world = a_world()

    ends = []
    for order in (storm, data.draw(st.permutations(storm))):
        for it in order:
            event = an_event(world.users[it.user], it.type, timestamp=it.at.isoformat())
            outcome(world.post(event))
        ends.append(world.memberships())
        world.forget()

    assert ends[0] == ends[1]


BYTEWISE = {
    "a capital letter": ("B", "a"),
    "an accent": ("z", "é"),
    "a sign before a letter": ("a-b", "aB"),
    "a sign that UTF-16 puts first": ("\uff5e", "\U0001f426"),
    "the shorter one": ("a", "a\u0301"),
}


@pytest.mark.parametrize(("lesser", "greater"), BYTEWISE.values(), ids=BYTEWISE)
@pytest.mark.parametrize("order", [1, -1], ids=["in order", "reversed"])
def test_at_the_same_moment_the_id_with_the_greater_bytes_wins_in_every_language(
    a_world: Worlds, lesser: str, greater: str, order: int
) -> None:
    world = a_world()
    storm = [Happening(lesser, TYPES[1], 0, NOON), Happening(greater, TYPES[0], 0, NOON)][::order]

    for it in storm:
        outcome(world.deliver(it))

    [[_, is_red, _, event_id]] = world.memberships()
    assert (is_red, event_id) == (True, world.example + greater)


def test_of_fifty_deliveries_at_once_one_is_applied_and_49_are_duplicates(a_world: Worlds) -> None:
    world = a_world()
    upgrade = Happening(an_id(), TYPES[0], 0, NOON)

    answers = at_once(world.deliver, [upgrade] * 50, threads=50)

    assert Counter(map(outcome, answers)) == {"applied": 1, "duplicate": 49}
    world.is_as_if_in_order([upgrade] * 50)
