"""What the payment provider may rely on when it delivers an event."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from chirpy.webhooks import receiving
from chirpy.webhooks.schemas import read_event
from tests.support.databases import Sql
from tests.support.deliveries import GOOD, KNOWN_USER
from tests.support.factories import API_KEY, a_user, an_event, an_id

Deliver = Callable[..., TestResponse]

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
EARLIER = (NOON - timedelta(hours=1)).isoformat()
LATER = (NOON + timedelta(hours=1)).isoformat()


@pytest.fixture
def deliver(app: Flask) -> Deliver:
    """Post one event, or a text as it is: `deliver(event)`."""

    def post(event: object, headers: dict[str, str] = API_KEY) -> TestResponse:
        body = event if isinstance(event, str) else json.dumps(event)
        client = app.test_client()  # one each: tests deliver from several threads
        return client.post("/api/polka/webhooks", data=body, headers=headers)

    return post


def is_red(sql: Sql, user_id: object) -> bool:
    """Whether the membership says that the user is Chirpy Red."""
    return sql("SELECT is_chirpy_red FROM memberships WHERE user_id = %s", user_id) == [(True,)]


def outcomes(answers: list[TestResponse]) -> list[str]:
    return sorted(answer.headers["Webhook-Outcome"] for answer in answers)


# A 2xx means committed


def test_an_upgrade_makes_the_user_red(deliver: Deliver, sql: Sql) -> None:
    user_id = a_user(sql)

    answer = deliver(an_event(user_id))

    assert answer.status_code == 204
    assert answer.data == b""
    assert answer.headers["Webhook-Outcome"] == "applied"
    assert "Content-Type" not in answer.headers
    assert is_red(sql, user_id)


def test_a_downgrade_ends_it(deliver: Deliver, sql: Sql) -> None:
    user_id = a_user(sql)
    deliver(an_event(user_id))

    deliver(an_event(user_id, "user.downgraded"))

    assert not is_red(sql, user_id)


def test_the_inbox_keeps_the_event_as_it_came(deliver: Deliver, sql: Sql) -> None:
    user_id, event_id = a_user(sql), an_id()
    body = f'{{ "id":"{event_id}", "event":"user.upgraded", "data":{{"user_id":"{user_id}"}} }}'

    deliver(body)

    kept = "SELECT provider, event_id, type, user_id, body, outcome, deliveries FROM webhook_events"
    assert sql(kept) == [
        ("polka", event_id, "user.upgraded", str(user_id), body, "applied", 1),
    ]


def test_any_other_event_is_recorded_and_ignored(deliver: Deliver, sql: Sql) -> None:
    answer = deliver({"event": "user.payment_failed", "data": {"user_id": str(uuid4())}})

    assert answer.status_code == 204
    assert answer.headers["Webhook-Outcome"] == "ignored"
    assert sql("SELECT type, outcome FROM webhook_events") == [("user.payment_failed", "ignored")]
    assert sql("SELECT count(*) FROM memberships") == [(0,)]


@pytest.mark.parametrize("data", [None, 5, "text", [], {}, {"user_id": "nobody"}])
def test_of_an_event_that_is_ignored_the_data_may_be_anything(deliver: Deliver, data: Any) -> None:
    assert deliver({"event": "invoice.paid", "data": data}).status_code == 204


# Repeats are harmless


def test_a_repeat_with_an_id_is_answered_like_the_first_and_skipped(
    deliver: Deliver, sql: Sql
) -> None:
    upgrade = an_event(user_id := a_user(sql), id=an_id())
    deliver(upgrade)
    deliver(an_event(user_id, "user.downgraded", id=an_id()))

    answer = deliver(upgrade)

    assert answer.status_code == 204
    assert answer.headers["Webhook-Outcome"] == "duplicate"
    assert not is_red(sql, user_id)
    assert sql("SELECT deliveries FROM webhook_events WHERE event_id = %s", upgrade["id"]) == [(2,)]


def test_without_an_id_upgrade_downgrade_upgrade_are_three_events(
    deliver: Deliver, sql: Sql
) -> None:
    user_id = a_user(sql)

    answers = [
        deliver(an_event(user_id, event))
        for event in ("user.upgraded", "user.downgraded", "user.upgraded")
    ]

    assert outcomes(answers) == ["applied"] * 3
    assert is_red(sql, user_id)


def test_without_an_id_a_repeat_that_changes_nothing_is_a_duplicate(
    deliver: Deliver, sql: Sql
) -> None:
    upgrade = an_event(user_id := a_user(sql))

    answers = [deliver(upgrade), deliver(upgrade)]

    assert outcomes(answers) == ["applied", "duplicate"]
    assert is_red(sql, user_id)
    assert sql("SELECT deliveries, outcome FROM webhook_events") == [(2, "applied")]


def test_without_an_id_a_repeat_that_comes_too_late_is_stale(deliver: Deliver, sql: Sql) -> None:
    user_id = a_user(sql)
    soon = (datetime.now(UTC) + timedelta(minutes=4)).isoformat()  # within what clocks may differ
    upgrade = an_event(user_id)

    answers = [
        deliver(upgrade),
        deliver(an_event(user_id, "user.downgraded", timestamp=soon)),
        deliver(upgrade),
    ]

    assert [answer.headers["Webhook-Outcome"] for answer in answers] == [
        "applied",
        "applied",
        "stale",
    ]
    assert not is_red(sql, user_id)
    assert sql("SELECT outcome, deliveries FROM webhook_events ORDER BY deliveries") == [
        ("applied", 1),
        ("applied", 2),
    ]


@pytest.mark.parametrize("more", [{}, {"id": "evt_1"}, {"timestamp": EARLIER}], ids=str)
def test_deliveries_at_the_same_moment_take_effect_once(
    deliver: Deliver, sql: Sql, more: dict[str, str]
) -> None:
    upgrade = an_event(user_id := a_user(sql), **more)

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(deliver, [upgrade] * 8))

    assert {answer.status_code for answer in answers} == {204}
    assert outcomes(answers) == ["applied"] + ["duplicate"] * 7
    assert sql("SELECT deliveries, outcome FROM webhook_events") == [(8, "applied")]
    assert is_red(sql, user_id)


def test_an_id_in_the_header_counts_like_one_in_the_body(deliver: Deliver, sql: Sql) -> None:
    upgrade, headers = an_event(a_user(sql)), API_KEY | {"webhook-id": "msg_1"}

    answers = [deliver(upgrade, headers), deliver(upgrade | {"id": "msg_1"})]

    assert outcomes(answers) == ["applied", "duplicate"]


def test_a_user_id_in_upper_case_is_the_same_user(deliver: Deliver, sql: Sql) -> None:
    user_id = str(a_user(sql))

    answers = [deliver(an_event(spelt, id="evt_1")) for spelt in (user_id, user_id.upper())]

    assert outcomes(answers) == ["applied", "duplicate"]


def test_what_an_event_means_is_kept_in_the_form_that_older_events_have() -> None:
    """Stored by one version of Chirpy, it must tell a repeat that reaches another."""
    spelt = "3311741C-680C-4546-99F3-FC9EFAC2036C"
    event = read_event(
        {
            "event": "user.upgraded",
            "data": {"user_id": spelt, "é": [1.5, None, {"b": 1, "a": "😀"}]},
        },
        None,
    )

    said = (
        b'["user.upgraded",{"user_id":"3311741c-680c-4546-99f3-fc9efac2036c",'
        b'"\\u00e9":[1.5,null,{"a":"\\ud83d\\ude00","b":1}]}'
    )
    meaning = receiving.canonical_meaning(event)
    assert receiving.make_fingerprint(meaning) == sha256(said + b"]").digest()
    assert receiving.make_key(meaning, None) == "data:" + sha256(said + b',"None"]').hexdigest()


# Order of arrival never matters


def test_a_late_upgrade_does_not_undo_a_newer_downgrade(deliver: Deliver, sql: Sql) -> None:
    user_id = a_user(sql)
    deliver(an_event(user_id, "user.downgraded", id=an_id(), timestamp=LATER))

    answer = deliver(an_event(user_id, "user.upgraded", id=an_id(), timestamp=EARLIER))

    assert answer.status_code == 204
    assert answer.headers["Webhook-Outcome"] == "stale"
    assert not is_red(sql, user_id)


@pytest.mark.parametrize("order", [1, -1], ids=["upgrade first", "downgrade first"])
def test_of_two_at_the_same_moment_the_greater_id_wins(
    deliver: Deliver, sql: Sql, order: int
) -> None:
    user_id = a_user(sql)
    pair = [
        an_event(user_id, "user.upgraded", id="b", timestamp=EARLIER),
        an_event(user_id, "user.downgraded", id="a", timestamp=EARLIER),
    ]

    for event in pair[::order]:
        deliver(event)

    assert is_red(sql, user_id)


def test_the_same_moment_in_another_zone_is_the_same_moment(deliver: Deliver, sql: Sql) -> None:
    user_id = a_user(sql)
    deliver(an_event(user_id, id=an_id(), timestamp="2026-01-31T12:00:00+02:00"))

    deliver(an_event(user_id, "user.downgraded", id=an_id(), timestamp="2026-01-31T11:00:00Z"))

    assert not is_red(sql, user_id)


# Nothing is lost by refusing


def test_an_unknown_user_leaves_nothing_so_the_retry_counts(deliver: Deliver, sql: Sql) -> None:
    user_id = uuid4()
    upgrade = an_event(user_id, id=an_id())

    refused = deliver(upgrade)
    left = sql("SELECT count(*) FROM webhook_events")
    sql("INSERT INTO users (id, email) VALUES (%s, 'late@example.com')", str(user_id))
    retried = deliver(upgrade)

    assert refused.status_code == 404
    assert left == [(0,)]
    assert retried.headers["Webhook-Outcome"] == "applied"
    assert is_red(sql, user_id)


def test_the_scheme_may_be_written_in_any_case(deliver: Deliver, sql: Sql) -> None:
    headers = {"Authorization": API_KEY["Authorization"].replace("ApiKey", "APIKEY")}

    assert deliver(an_event(a_user(sql)), headers).status_code == 204


# What only looks wrong is taken; tests/support/deliveries.py has what is wrong

LOOKS_WRONG: dict[str, dict[str, Any]] = {
    "nothing": {},
    "id of 255 characters": {"id": "x" * 255},
    "id with a dot, a blank and a letter": {"id": "evt.1 é"},
    "id null": {"id": None},
    "time null": {"timestamp": None},
    "time long ago": {"timestamp": "0001-01-01T00:00:00Z"},
    "type of 255 characters": {"event": "x" * 255},
    "type that is an emoji": {"event": "🐦"},
    "NUL in its data": {"data": {"user_id": str(KNOWN_USER), "note": "\0", "\0": 1}},
    "a lone surrogate in its data": {
        "data": {"user_id": str(KNOWN_USER), "note": "\ud800", "\udfff": 1}
    },
    "NUL in data that is ignored": {"event": "invoice.paid", "data": "\0"},
    "a lone surrogate in data that is ignored": {"event": "invoice.paid", "data": "\ud800"},
    "64 brackets within brackets": {
        "event": "invoice.paid",
        "data": json.loads(63 * "[" + 63 * "]"),
    },
    "a number of 100 digits": {"event": "invoice.paid", "data": 10**99},
    "NUL in what nobody reads": {"more": "\0", "\0": 1},
}


@pytest.mark.parametrize("change", LOOKS_WRONG.values(), ids=LOOKS_WRONG)
def test_what_only_looks_wrong_is_taken(deliver: Deliver, sql: Sql, change: dict[str, Any]) -> None:
    sql("INSERT INTO users (id, email) VALUES (%s, 'known@example.com')", str(KNOWN_USER))
    body = json.dumps(GOOD | change)

    answer = deliver(body)

    assert answer.status_code == 204
    assert sql("SELECT body, outcome FROM webhook_events") == [
        (body, answer.headers["Webhook-Outcome"])
    ]


@pytest.mark.parametrize(("seconds", "status"), [(290, 204), (310, 400)])
def test_a_time_may_be_five_minutes_ahead_of_ours(
    deliver: Deliver, sql: Sql, seconds: int, status: int
) -> None:
    ahead = (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()

    assert deliver(an_event(a_user(sql), timestamp=ahead)).status_code == status
