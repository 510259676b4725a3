"""The delivery log over HTTP: GET /admin/webhooks."""

import pytest
from flask.testing import FlaskClient
from sqlalchemy import URL
from werkzeug.test import TestResponse

from tests.support.assertions import assert_error, follow_links
from tests.support.databases import Sql, an_app
from tests.support.deliveries import KNOWN_USER, PATH, days_ago, insert_event
from tests.support.factories import API_KEY, a_user, an_id

LOG = "/admin/webhooks"


def ids(response: TestResponse) -> list[str]:
    """Return the ids of the events in a response."""
    assert response.status_code == 200, response.text
    return [event["event_id"] for event in response.get_json()]


def test_log_shows_each_event_once_with_its_body_as_received(client: FlaskClient, sql: Sql) -> None:
    user_id, event_id = a_user(sql), an_id()
    body = f'{{ "id":"{event_id}", "event":"user.upgraded", "data":{{"user_id":"{user_id}"}} }}'
    for _ in range(3):
        client.post(PATH, data=body, headers=API_KEY)

    response = client.get(LOG)

    [event] = response.get_json()
    [[first, last]] = sql("SELECT first_delivered_at, last_delivered_at FROM webhook_events")
    assert response.content_type == "application/json"
    assert list(event.items()) == [
        ("event_id", event_id),
        ("type", "user.upgraded"),
        ("user_id", str(user_id)),
        ("outcome", "applied"),
        ("deliveries", 3),
        ("first_delivered_at", f"{first:%Y-%m-%dT%H:%M:%S.%fZ}"),
        ("last_delivered_at", f"{last:%Y-%m-%dT%H:%M:%S.%fZ}"),
        ("body", body),
    ]
    assert first < last


def test_log_without_events_is_an_empty_list_without_a_link(client: FlaskClient) -> None:
    response = client.get(LOG)

    assert (response.status_code, response.get_json()) == (200, [])
    assert "Link" not in response.headers


def test_log_in_production_is_403(database_url: URL, sql: Sql) -> None:
    event_id = insert_event(sql)

    with an_app(database_url, platform="prod") as app:
        response = app.test_client().get(LOG)

    assert_error(response, 403)
    assert event_id not in response.text


@pytest.mark.parametrize("limit", [1, 2, 7, 8])
def test_pages_have_each_event_once_newest_first_also_with_equal_times(
    client: FlaskClient, sql: Sql, limit: int
) -> None:
    for time in [days_ago(1), days_ago(2)] + ["2026-01-31T12:00:00Z"] * 5:
        oldest = insert_event(sql, first_delivered_at=time)
    sql("UPDATE webhook_events SET last_delivered_at = now() WHERE event_id = %s", oldest)

    pages = list(follow_links(client, f"{LOG}?limit={limit}", "event_id"))

    newest_first = "SELECT event_id FROM webhook_events ORDER BY first_delivered_at DESC, id DESC"
    assert [(event_id,) for page in pages for event_id in page] == sql(newest_first)
    assert [len(page) for page in pages[:-1]] == [limit] * ((7 - 1) // limit)


def test_new_events_do_not_move_events_between_pages(client: FlaskClient, sql: Sql) -> None:
    before = {insert_event(sql) for _ in range(4)}

    read: list[str] = []
    for page in follow_links(client, f"{LOG}?limit=1", "event_id"):
        read += page
        insert_event(sql, first_delivered_at=days_ago(0))

    assert sorted(read) == sorted(before)


def test_filters_find_the_matching_events_and_links_keep_them(
    client: FlaskClient, sql: Sql
) -> None:
    matching = {"type": "a&b=c", "outcome": "stale", "user_id": str(KNOWN_USER)}
    expected = [insert_event(sql, **matching) for _ in range(3)]
    for name in matching:  # each lacks one
        insert_event(sql, **{key: value for key, value in matching.items() if key != name})

    query = f"type=a%26b%3Dc&outcome=stale&user_id={str(KNOWN_USER).upper()}&limit=1"
    pages = list(follow_links(client, f"{LOG}?{query}", "event_id"))

    assert sorted(event_id for page in pages for event_id in page) == sorted(expected)
    assert len(pages) == 3


@pytest.mark.parametrize("since", ["2026-02-01T00:00:00Z", "2026-02-01T02:00:00%2B02:00"])
def test_since_finds_events_first_delivered_then_or_later_and_none_in_the_future(
    client: FlaskClient, sql: Sql, since: str
) -> None:
    insert_event(sql, first_delivered_at="2026-01-31T23:59:59Z")
    matching = insert_event(sql, first_delivered_at="2026-02-01T00:00:00Z")

    assert ids(client.get(f"{LOG}?since={since}")) == [matching]
    for future in ("2999-01-01T00:00:00Z", "9999-12-31T23:59:59Z"):
        assert ids(client.get(f"{LOG}?since={future}")) == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *[("outcome", value) for value in ("duplicate", "")],
        *[("type", value) for value in ("%00", "x" * 256)],
        ("user_id", f"%7B{KNOWN_USER}%7D"),
        *[("since", value) for value in ("yesterday", "2026-01-31T12:00:00", "%00")],
        *[("limit", value) for value in ("0", "1001", "1_0")],
        *[("after", value) for value in ("here", "%00")],
    ],
)
def test_invalid_filter_is_400_and_named(client: FlaskClient, field: str, value: str) -> None:
    response = client.get(f"{LOG}?{field}={value}")

    assert list(assert_error(response, 400)["fields"]) == [field]
