"""Received deliveries: the response, the row in webhook_events, and what counts as one event.

The effect of each type of event, and of duplicates, is in test_truth_table.py.
"""

import json
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import uuid4

import pytest
from flask.testing import FlaskClient

from chirpy.webhooks.meaning import make_fingerprint, make_key
from chirpy.webhooks.schemas import read_event
from tests.support.databases import POLKA_KEY, Sql
from tests.support.deliveries import KNOWN_USER, PATH, VALID, insert_event
from tests.support.factories import API_KEY, a_user, an_event, an_id

ONE_FORM: dict[str, Any] = {"sort_keys": True, "separators": (",", ":")}
SETTING = "synchronous_commit"


def deliver(client: FlaskClient, *events: dict[str, Any]) -> list[str]:
    """Deliver events in turn. Return the outcomes."""
    responses = [client.post(PATH, data=json.dumps(event), headers=API_KEY) for event in events]
    return [response.headers.get("Webhook-Outcome", response.status) for response in responses]


def is_red(sql: Sql, user_id: object) -> bool:
    """Return whether the user's membership is Chirpy Red."""
    return sql("SELECT is_chirpy_red FROM memberships WHERE user_id = %s", user_id) == [(True,)]


@pytest.mark.parametrize("scheme", ["ApiKey", "APIKEY"])
def test_upgrade_is_204_without_a_body_and_makes_the_user_red(
    client: FlaskClient, sql: Sql, scheme: str
) -> None:
    user_id, headers = a_user(sql), {"Authorization": f"{scheme} {POLKA_KEY}"}

    response = client.post(PATH, json=an_event(user_id), headers=headers)

    assert (response.status_code, response.data) == (204, b"")
    assert response.headers["Webhook-Outcome"] == "applied"
    assert "Content-Type" not in response.headers
    assert is_red(sql, user_id)


def test_upgrade_downgrade_upgrade_without_ids_are_three_events(
    client: FlaskClient, sql: Sql
) -> None:
    upgrade, downgrade = an_event(user_id := a_user(sql)), an_event(user_id, "user.downgraded")

    assert deliver(client, upgrade, downgrade, upgrade) == ["applied"] * 3
    assert is_red(sql, user_id)


def test_times_in_two_zones_are_compared_in_utc(client: FlaskClient, sql: Sql) -> None:
    user_id = a_user(sql)
    upgrade = an_event(user_id, id=an_id(), timestamp="2026-01-31T12:00:00+02:00")
    later = an_event(user_id, "user.downgraded", id=an_id(), timestamp="2026-01-31T11:00:00Z")

    assert deliver(client, upgrade, later) == ["applied"] * 2
    assert not is_red(sql, user_id)


def test_event_of_an_unknown_user_is_applied_when_it_is_retried_after_sign_up(
    client: FlaskClient, sql: Sql
) -> None:
    upgrade = an_event(user_id := uuid4(), id=an_id())

    assert deliver(client, upgrade) == ["404 NOT FOUND"]
    assert sql("SELECT count(*) FROM webhook_events") == [(0,)]
    sql("INSERT INTO users (id, email) VALUES (%s, 'late@example.com')", str(user_id))
    assert deliver(client, upgrade) == ["applied"]
    assert is_red(sql, user_id)


def test_count_of_deliveries_stops_at_the_greatest_integer(client: FlaskClient, sql: Sql) -> None:
    upgrade = an_event(a_user(sql), id=an_id())
    deliver(client, upgrade)
    sql("UPDATE webhook_events SET deliveries = 2147483646")

    assert deliver(client, upgrade, upgrade) == ["duplicate"] * 2
    assert sql("SELECT deliveries FROM webhook_events") == [(2147483647,)]


@pytest.mark.parametrize(
    ("setting", "effective"),
    [
        *(("off", "on"), ("local", "on"), ("remote_write", "on")),
        *(("on", "on"), ("remote_apply", "remote_apply")),
    ],
)
def test_commit_of_a_delivery_waits_for_the_disk_whatever_the_connection_says(
    sql: Sql, setting: str, effective: str
) -> None:
    call = "SELECT receive_event(NULL, 'key', 'invoice.paid', NULL, NULL, '{}', NULL)"

    # Postgres runs two statements in one string as one transaction.
    [row] = sql(f"SET LOCAL synchronous_commit = {setting}; {call}, current_setting(%s)", SETTING)

    assert row == ("ignored", effective)


# What is one event


def test_event_with_its_id_in_the_header_and_user_id_in_upper_case_is_a_duplicate(
    client: FlaskClient, sql: Sql
) -> None:
    user_id, headers = str(a_user(sql)), API_KEY | {"webhook-id": "msg_1"}

    client.post(PATH, json=an_event(user_id.upper()), headers=headers)

    assert deliver(client, an_event(user_id, id="msg_1")) == ["duplicate"]


def test_fingerprint_and_made_key_stay_those_of_stored_events() -> None:
    """An event that one version of Chirpy stored must be a duplicate for every later version."""
    user_id = "3311741C-680C-4546-99F3-FC9EFAC2036C"
    data = {"user_id": user_id, "é": [1.5, None, {"b": 1, "a": "😀"}]}
    body = {"event": "user.upgraded", "data": data, "more": True}

    event = read_event(body | {"timestamp": "2026-01-31T13:00:00+01:00"}, None)

    canonical = (
        b'{"user_id":"3311741c-680c-4546-99f3-fc9efac2036c",'
        b'"\\u00e9":[1.5,null,{"a":"\\ud83d\\ude00","b":1}]}'
    )
    whole = b'{"data":%b,"event":"user.upgraded","id":null,"more":true,"timestamp":"%b"}'
    dated, undated = [whole % (canonical, time) for time in (b"2026-01-31 12:00:00+00:00", b"None")]
    meaning = b'["user.upgraded",%b]' % canonical
    assert make_fingerprint(event) == sha256(meaning).digest()
    assert make_key(event) == f"body:{sha256(dated).hexdigest()}"
    assert make_key(read_event(body, None)) == f"body:{sha256(undated).hexdigest()}"


NUMBERS = {
    "1": ["1.0", "1e0", "10e-1", "0.1E+1"],
    "0": ["-0", "-0.0", "0e999999999999999999999", "1e-99999999999999999999"],
    "1.5": ["1.50", "15e-1"],
    f"1{'0' * 23}": ["1e23", "0.1e24"],
    "9007199254740993": ["9007199254740993.0", "9.007199254740993e15"],
    "1e308": ["10e307"],
}


def with_number(event: dict[str, Any], number: str) -> str:
    """Return the JSON of an event whose data has a number, written in this way."""
    return json.dumps(event | {"data": event["data"] | {"n": "?"}}).replace('"?"', number)


@pytest.mark.parametrize(
    "members", [{"id": "evt_1"}, {"timestamp": "2026-01-31T12:00:00Z"}], ids=str
)
def test_numbers_of_equal_value_are_equal_in_duplicates(
    client: FlaskClient, sql: Sql, members: dict[str, str]
) -> None:
    upgrade = an_event(a_user(sql), **members)
    for number, spellings in NUMBERS.items():
        sql("DELETE FROM webhook_events")
        for each in (number, *spellings):
            client.post(PATH, data=with_number(upgrade, each), headers=API_KEY)
        assert sql("SELECT deliveries FROM webhook_events") == [(1 + len(spellings),)], number


def test_events_without_an_id_that_differ_in_any_key_are_different_events(
    client: FlaskClient, sql: Sql
) -> None:
    event = {"event": "invoice.paid", "timestamp": "2026-01-31T12:00:00Z"}
    big = 2**53  # a double cannot tell it from the next integer
    numbers = [1, 2, 1.5, big, big + 1, "1", None]

    times = [f"2026-01-31T12:00:00.{fraction}Z" for fraction in ("1", "1000001", "100000201")]

    deliver(client, event, *({**event, "number": number} for number in numbers))
    deliver(client, *({**event, "timestamp": time} for time in times))

    assert sql("SELECT DISTINCT deliveries FROM webhook_events") == [(1,)]
    assert sql("SELECT count(*) FROM webhook_events") == [(1 + len(numbers) + len(times),)]


def test_spelling_of_a_body_without_an_id_does_not_make_another_event(
    client: FlaskClient, sql: Sql
) -> None:
    upgrade = an_event(user_id := a_user(sql), timestamp="2026-01-31T12:00:00Z")
    data = {"user_id": str(user_id).upper()}
    again = {"id": None, "timestamp": "2026-01-31T13:00:00,0000000+01:00", "data": data}

    assert deliver(client, upgrade, again | {"event": "user.upgraded"}) == ["applied", "duplicate"]


# Stored before migration 0010


@pytest.mark.parametrize("body", ["stored", None], ids=["with its body", "pruned"])
def test_fingerprint_that_took_1_and_1_0_for_different_numbers_matches_its_event(
    client: FlaskClient, sql: Sql, body: str | None
) -> None:
    upgrade = an_event(a_user(sql), id="evt_1")
    upgrade["data"]["n"] = 1.0
    old = sha256(json.dumps(["user.upgraded", upgrade["data"]], **ONE_FORM).encode()).digest()
    insert_event(sql, event_id="evt_1", type="user.upgraded", fingerprint=old, body=body)

    assert deliver(client, upgrade) == ["duplicate"]
    upgrade["data"]["n"] = 2.0
    assert deliver(client, upgrade) == ["409 CONFLICT"]


def test_dated_event_with_an_old_made_key_does_not_become_later_than_a_duplicate_of_it(
    client: FlaskClient, sql: Sql
) -> None:
    time, user_id = "2026-01-31T12:00:00Z", a_user(sql)
    insert_event(sql, event_id=f"data:{'0' * 64}", type="user.upgraded", user_id=str(user_id))
    sql("INSERT INTO memberships VALUES (%s, true, %s, %s)", str(user_id), time, f"data:{'0' * 64}")
    before = sql("SELECT * FROM memberships")

    assert deliver(client, an_event(user_id, timestamp=time)) == ["stale"]
    assert sql("SELECT * FROM memberships") == before


# Unusual, and valid; tests/support/deliveries.py has what is refused


@pytest.mark.parametrize("data", [None, 5, [], {"user_id": "nobody"}, VALID["data"]], ids=str)
def test_ignored_event_can_have_any_data_and_is_recorded_without_a_user(
    client: FlaskClient, sql: Sql, data: Any
) -> None:
    assert deliver(client, {"event": "invoice.paid", "data": data}) == ["ignored"]
    assert sql("SELECT user_id FROM webhook_events") == [(None,)]


UNUSUAL: dict[str, dict[str, Any]] = {
    "id of 255 characters": {"id": "x" * 255},
    "id with a dot, a space and a letter": {"id": "evt.1 é"},
    "id null": {"id": None},
    "time null": {"timestamp": None},
    "time at the start of 2000": {"timestamp": "2000-01-01T00:00:00Z"},
    "type of 255 characters": {"event": "x" * 255},
    "type that is an emoji": {"event": "🐦"},
    "NUL in data": {"data": VALID["data"] | {"note": "\0", "\0": 1}},
    "lone surrogate in data": {"data": VALID["data"] | {"note": "\ud800", "\udfff": 1}},
    "64 nested brackets": {"event": "invoice.paid", "data": json.loads(63 * "[" + 63 * "]")},
    "number of 100 digits": {"event": "invoice.paid", "data": 10**99},
}


@pytest.mark.parametrize("change", UNUSUAL.values(), ids=UNUSUAL)
def test_unusual_event_is_recorded(client: FlaskClient, sql: Sql, change: dict[str, Any]) -> None:
    sql("INSERT INTO users (id, email) VALUES (%s, 'known@example.com')", str(KNOWN_USER))
    event = VALID | change

    [outcome] = deliver(client, event)

    assert sql("SELECT body, outcome FROM webhook_events") == [(json.dumps(event), outcome)]


@pytest.mark.parametrize(
    ("leap_second", "next_second"),
    [
        ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z"),
        ("2015-07-01t08:59:60,5+0900", "2015-07-01T00:00:00.5Z"),
    ],
)
def test_leap_second_is_the_next_second(
    client: FlaskClient, sql: Sql, leap_second: str, next_second: str
) -> None:
    deliver(client, an_event(a_user(sql), timestamp=leap_second))

    assert sql("SELECT as_of = %s FROM memberships", next_second) == [(True,)]


@pytest.mark.parametrize(("seconds", "outcome"), [(290, "applied"), (310, "400 BAD REQUEST")])
def test_time_can_be_5_minutes_ahead(
    client: FlaskClient, sql: Sql, seconds: int, outcome: str
) -> None:
    time = (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()

    assert deliver(client, an_event(a_user(sql), timestamp=time)) == [outcome]
