"""What those who look after deliveries may rely on: nothing is hidden, and no secret is told."""

import json
import logging
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any
from uuid import uuid4

import pytest
from click.testing import Result
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import URL, make_url
from werkzeug.test import TestResponse

from chirpy import create_app
from chirpy.settings import DRIVER, parse_signing_key
from chirpy.web.log_formatters import JSONFormatter
from chirpy.webhooks import pruning, signature
from tests.support.bodies import chunked
from tests.support.databases import POLKA_KEY, Sql, an_app, settings_for
from tests.support.factories import API_KEY, a_user, an_event, an_id

LOGGED = [
    "event_id",
    "type",
    "user_id",
    "outcome",
    "deliveries",
    "first_delivered_at",
    "last_delivered_at",
    "body",
]
LINK = re.compile(r'<(/admin/webhooks\?[!-;=?-~]*)>; rel="next"')
NOON = "2026-01-31T12:00:00+00:00"
USER = "3311741c-680c-4546-99f3-fc9efac2036c"
PATH = "/api/polka/webhooks"

Flasks = Callable[..., Result]


def kept(sql: Sql, **columns: Any) -> str:
    """An event in the inbox, by plain SQL; returns its id."""
    row = {"event_id": an_id(), "type": "x", "first_delivered_at": NOON, "body": "{}"} | columns
    row = {"last_delivered_at": row["first_delivered_at"]} | row
    names, values = ", ".join(row), ", ".join(["%s"] * len(row))
    sql(f"INSERT INTO webhook_events ({names}) VALUES ({values})", *row.values())
    return str(row["event_id"])


def days_ago(days: int) -> str:
    return (datetime.now(UTC) - timedelta(days=days)).isoformat()


def ids(answer: TestResponse) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [event["event_id"] for event in answer.get_json()]


def pages(client: FlaskClient, query: str) -> Iterator[list[str]]:
    """The ids on each page, following the links as a client does."""
    path = f"/admin/webhooks{query}"
    while path:
        answer = client.get(path)
        yield ids(answer)
        link = LINK.fullmatch(answer.headers.get("Link", ""))
        path = link[1] if link else ""


@pytest.fixture
def flask(app: Flask) -> Flasks:
    """`flask webhooks …`, as one types it."""

    def run(*arguments: str) -> Result:
        return app.test_cli_runner().invoke(args=["webhooks", *arguments])

    return run


# GET /admin/webhooks


def test_the_log_shows_each_event_with_its_body_as_it_came(client: FlaskClient, sql: Sql) -> None:
    user_id, event_id = a_user(sql), an_id()
    body = f'{{ "id":"{event_id}", "event":"user.upgraded", "data":{{"user_id":"{user_id}"}} }}'
    for _ in range(3):
        client.post(PATH, data=body, headers=API_KEY)

    answer = client.get("/admin/webhooks")

    assert answer.content_type == "application/json"
    [event] = answer.get_json()
    [[first, last]] = sql("SELECT first_delivered_at, last_delivered_at FROM webhook_events")
    assert list(event) == LOGGED
    assert event == {
        "event_id": event_id,
        "type": "user.upgraded",
        "user_id": str(user_id),
        "outcome": "applied",
        "deliveries": 3,
        "first_delivered_at": f"{first:%Y-%m-%dT%H:%M:%S.%fZ}",
        "last_delivered_at": f"{last:%Y-%m-%dT%H:%M:%S.%fZ}",
        "body": body,
    }
    assert first < last


def test_without_deliveries_it_is_an_empty_list(client: FlaskClient) -> None:
    answer = client.get("/admin/webhooks")

    assert (answer.status_code, answer.get_json()) == (200, [])
    assert "Link" not in answer.headers


def test_an_event_that_was_ignored_has_no_user(client: FlaskClient) -> None:
    client.post(PATH, json=an_event(USER, "invoice.paid"), headers=API_KEY)

    [event] = client.get("/admin/webhooks").get_json()

    assert (event["outcome"], event["user_id"]) == ("ignored", None)


def test_in_production_nobody_sees_it(database_url: URL, sql: Sql) -> None:
    event_id = kept(sql)

    with an_app(database_url, platform="prod") as app:
        answer = app.test_client().get("/admin/webhooks")

    assert answer.status_code == 403
    assert event_id not in answer.text


def test_the_newest_first_delivery_comes_first(client: FlaskClient, sql: Sql) -> None:
    old, new, middle = (kept(sql, first_delivered_at=days_ago(days)) for days in (3, 1, 2))
    sql("UPDATE webhook_events SET last_delivered_at = now() WHERE event_id = %s", old)

    assert ids(client.get("/admin/webhooks")) == [new, middle, old]


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 8])
def test_the_pages_hold_everything_once_even_of_one_moment(
    client: FlaskClient, sql: Sql, limit: int
) -> None:
    for moment in [NOON] * 5 + [days_ago(1), days_ago(2)]:
        kept(sql, first_delivered_at=moment)

    seen = list(pages(client, f"?limit={limit}"))

    assert [event_id for page in seen for event_id in page] == [
        event_id
        for [event_id] in sql(
            "SELECT event_id FROM webhook_events ORDER BY first_delivered_at DESC, id DESC"
        )
    ]
    assert [len(page) for page in seen[:-1]] == [limit] * ((7 - 1) // limit)


def test_events_that_come_while_one_pages_move_nothing(client: FlaskClient, sql: Sql) -> None:
    before = {kept(sql) for _ in range(4)}

    seen: list[str] = []
    for page in pages(client, "?limit=1"):
        seen += page
        kept(sql, first_delivered_at=days_ago(0))

    assert sorted(seen) == sorted(before)


def test_the_links_keep_the_filters(client: FlaskClient, sql: Sql) -> None:
    wanted = {kept(sql, type="a&b=c", outcome="stale", user_id=USER) for _ in range(3)}
    kept(sql)

    seen = list(pages(client, f"?type=a%26b%3Dc&outcome=stale&user_id={USER}&limit=1"))

    assert sorted(event_id for page in seen for event_id in page) == sorted(wanted)
    assert len(seen) == 3


FILTERS: dict[str, tuple[dict[str, Any], str, str]] = {
    "outcome": ({"outcome": "stale"}, "?outcome=stale", "--outcome=stale"),
    "type": ({"type": "user.upgraded"}, "?type=user.upgraded", "--type=user.upgraded"),
    "user": ({"user_id": USER}, f"?user_id={USER}", f"--user={USER}"),
    "user in capitals": ({"user_id": USER}, f"?user_id={USER.upper()}", f"--user={USER.upper()}"),
    "since": (
        {"first_delivered_at": "2026-02-01T00:00:00Z"},
        "?since=2026-02-01T00:00:00Z",
        "--since=2026-02-01",
    ),
    "since, in another zone": (
        {"first_delivered_at": "2026-02-01T00:00:00Z"},
        "?since=2026-02-01T02:00:00%2B02:00",
        "--since=2026-02-01T02:00:00+02:00",
    ),
}


@pytest.mark.parametrize(("columns", "query", "option"), FILTERS.values(), ids=FILTERS)
def test_a_filter_finds_what_it_names_over_http_and_in_the_shell(
    client: FlaskClient, flask: Flasks, sql: Sql, columns: Any, query: str, option: str
) -> None:
    kept(sql, user_id=str(uuid4()))
    wanted = kept(sql, **columns)

    answer = client.get(f"/admin/webhooks{query}")
    printed = flask("list", "--json", option)

    assert ids(answer) == [wanted]
    assert json.loads(printed.stdout) == answer.get_json()


def test_filters_add_up(client: FlaskClient, sql: Sql) -> None:
    wanted = kept(sql, outcome="stale", type="y")
    kept(sql, outcome="stale"), kept(sql, type="y")

    assert ids(client.get("/admin/webhooks?outcome=stale&type=y")) == [wanted]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("outcome=duplicate", "outcome"),
        ("outcome=", "outcome"),
        ("type=%00", "type"),
        (f"type={'x' * 256}", "type"),
        ("user_id=nobody", "user_id"),
        ("user_id=%7B3311741c-680c-4546-99f3-fc9efac2036c%7D", "user_id"),
        ("since=yesterday", "since"),
        ("since=2026-01-31T12:00:00", "since"),
        ("since=%00", "since"),
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("limit=1_0", "limit"),
        ("after=here", "after"),
        ("after=%00", "after"),
    ],
)
def test_a_filter_that_cannot_be_right_is_named(
    client: FlaskClient, query: str, field: str
) -> None:
    answer = client.get(f"/admin/webhooks?{query}")

    assert answer.status_code == 400
    assert list(answer.get_json()["fields"]) == [field]


# flask webhooks


def test_list_prints_a_line_for_each_event_newest_first(flask: Flasks, sql: Sql) -> None:
    kept(sql, event_id="old", user_id=USER, outcome="stale", deliveries=12)
    kept(sql, event_id="new", type="invoice.paid", first_delivered_at="2026-02-01T00:00:00Z")

    result = flask("list")

    assert result.exit_code == 0
    assert [line.split() for line in result.stdout.splitlines()] == [
        ["2026-02-01T00:00:00.000000Z", "ignored", "1×", "invoice.paid", "-", "new"],
        ["2026-01-31T12:00:00.000000Z", "stale", "12×", "x", USER, "old"],
    ]


def test_list_as_json_is_what_http_answers(flask: Flasks, client: FlaskClient, sql: Sql) -> None:
    client.post(PATH, json=an_event(a_user(sql), id="Ünï 🐦"), headers=API_KEY)
    kept(sql, body=None)

    printed = flask("list", "--json")

    assert json.loads(printed.stdout) == client.get("/admin/webhooks").get_json()
    assert "Ünï 🐦" in printed.stdout


def test_list_stops_at_the_limit(flask: Flasks, sql: Sql) -> None:
    sql("INSERT INTO webhook_events (event_id, type) SELECT i, 'x' FROM generate_series(1, 101) i")

    assert len(flask("list").stdout.splitlines()) == 100
    assert len(flask("list", "--limit=2").stdout.splitlines()) == 2
    assert len(flask("list", "--limit=1000").stdout.splitlines()) == 101


@pytest.mark.parametrize("span", ["36h", "2d", "1w", "3000m", "180000s"])
def test_since_may_say_how_long_ago(flask: Flasks, sql: Sql, span: str) -> None:
    kept(sql, first_delivered_at=days_ago(8))
    recent = kept(sql, first_delivered_at=days_ago(1))

    [event] = json.loads(flask("list", "--json", f"--since={span}").stdout)

    assert event["event_id"] == recent


@pytest.mark.parametrize("since", ["yesterday", "5", "5 d", "-5d", "999999d", "999999w", "12:00"])
def test_a_time_that_is_none_is_told_and_not_guessed(flask: Flasks, since: str) -> None:
    result = flask("list", f"--since={since}")

    assert result.exit_code == 2
    assert (
        f"{since!r} is neither an age such as 90d or 12h nor a time such as 2026-01-31"
        in result.stderr
    )


def test_show_prints_everything_about_one_event(flask: Flasks, sql: Sql) -> None:
    kept(sql, event_id="evt_1", user_id=USER, body='{ "event":"x" }', deliveries=2)
    kept(sql)

    result = flask("show", "evt_1")

    assert result.exit_code == 0
    assert [line.split(maxsplit=1) for line in result.stdout.splitlines()] == [
        ["event_id", "evt_1"],
        ["type", "x"],
        ["user_id", USER],
        ["outcome", "ignored"],
        ["deliveries", "2"],
        ["first_delivered_at", "2026-01-31T12:00:00.000000Z"],
        ["last_delivered_at", "2026-01-31T12:00:00.000000Z"],
        ["body", '{ "event":"x" }'],
    ]


def test_show_tells_when_there_is_no_such_event(flask: Flasks) -> None:
    result = flask("show", "evt_1")

    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr == "Error: No event 'evt_1'. Next: flask webhooks list\n"


def test_prune_deletes_the_bodies_of_old_events_and_nothing_else(flask: Flasks, sql: Sql) -> None:
    kept(sql, event_id="old", first_delivered_at=days_ago(91))
    kept(sql, event_id="young", first_delivered_at=days_ago(89))
    kept(sql, event_id="old, again", first_delivered_at=days_ago(99), last_delivered_at=days_ago(1))
    rest = "SELECT to_jsonb(webhook_events) - 'body' FROM webhook_events ORDER BY id"
    before = sql(rest)

    results = [flask("prune", "--older-than", "90d") for _ in "ab"]

    assert [result.stdout for result in results] == ["Pruned 1 bodies\n", "Pruned 0 bodies\n"]
    assert sql("SELECT event_id FROM webhook_events WHERE body IS NULL") == [("old",)]
    assert sql(rest) == before


def test_prune_goes_on_until_every_old_body_is_gone(
    flask: Flasks, sql: Sql, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pruning, "BATCH", 2)
    for first in ["2025-12-01", "2025-12-02", "2025-12-03", "2025-12-03"]:  # two batches
        kept(sql, first_delivered_at=first, last_delivered_at=first, body=None)
    for _ in range(5):
        kept(sql)

    result = flask("prune", "--older-than", "2026-02-02")

    assert result.stdout == "Pruned 5 bodies\n"
    assert sql("SELECT count(body) FROM webhook_events") == [(0,)]


def test_prune_does_not_guess_how_old(flask: Flasks, sql: Sql) -> None:
    kept(sql)

    assert flask("prune").exit_code == 2
    assert sql("SELECT count(body) FROM webhook_events") == [(1,)]


@pytest.mark.parametrize("identity", [{"id": "evt_1"}, {"timestamp": NOON}], ids=str)
def test_a_repeat_is_a_repeat_after_its_body_is_gone(
    client: FlaskClient, flask: Flasks, sql: Sql, identity: dict[str, str]
) -> None:
    upgrade = an_event(a_user(sql), **identity)
    client.post(PATH, json=upgrade, headers=API_KEY)
    flask("prune", "--older-than", "0s")

    answer = client.post(PATH, json=upgrade, headers=API_KEY)

    assert answer.headers["Webhook-Outcome"] == "duplicate"
    assert sql("SELECT deliveries, body FROM webhook_events") == [(2, None)]


def test_an_id_keeps_its_meaning_after_its_body_is_gone(
    client: FlaskClient, flask: Flasks, sql: Sql
) -> None:
    user_id = a_user(sql)
    client.post(PATH, json=an_event(user_id, id="evt_1"), headers=API_KEY)
    flask("prune", "--older-than", "0s")

    answer = client.post(
        PATH, json=an_event(user_id, "user.downgraded", id="evt_1"), headers=API_KEY
    )

    assert answer.status_code == 409


# The application's log

SECRET = "whsec_c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"
GUESS = "guessed-by-a-stranger"
PRIVATE = "between-polka-and-us"  # stands in every body
NOBODY_LISTENS = URL.create(DRIVER, username="chirpy", host="127.0.0.1", port=1)


class Told:
    """What the log says, as whatever collects it reads it."""

    def __init__(self) -> None:
        self.stream = StringIO()

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.stream.getvalue().splitlines()]

    def reason(self, answer: TestResponse) -> str:
        """Why a delivery was refused, by the one line that says so."""
        [line] = [line for line in self.lines if line["message"] == "Delivery refused"]
        assert list(line) == [
            *("time", "level", "logger", "message", "status", "reason", "request_id")
        ]
        assert (line["level"], line["status"]) == ("WARNING", answer.status_code)
        assert line["request_id"] == answer.headers["X-Request-Id"]
        return str(line["reason"])


@pytest.fixture
def told() -> Iterator[Told]:
    told = Told()
    handler = logging.StreamHandler(told.stream)
    handler.setFormatter(JSONFormatter())
    logging.getLogger().addHandler(handler)
    yield told
    logging.getLogger().removeHandler(handler)


@contextmanager
def a_client(url: URL) -> Iterator[FlaskClient]:
    """A client of an application on the database at `url` that wants both proofs."""
    with an_app(url, polka_webhook_secrets=(parse_signing_key(SECRET),)) as app:
        yield app.test_client()


@pytest.fixture
def signing_client(database_url: URL, emptied_database: None) -> Iterator[FlaskClient]:
    with a_client(database_url) as client:
        yield client


def private(event: dict[str, Any] | None = None) -> bytes:
    """A body that nobody but us should read."""
    return json.dumps({"private": PRIVATE, **(event or {})}).encode()


def proofs(body: bytes, event_id: str = "msg_1") -> dict[str, str]:
    """All headers that Polka sends."""
    now = str(int(time.time()))
    signed = signature.sign(
        event_id=event_id, timestamp=now, body=body, key=parse_signing_key(SECRET)
    )
    return API_KEY | {
        "webhook-id": event_id,
        "webhook-timestamp": now,
        "webhook-signature": signed,
    }


def tells_no_secret(text: str, headers: dict[str, str]) -> bool:
    """Whether none of what was to be proved or kept private stands in `text`."""
    signatures = headers.get("webhook-signature", "").replace("v1,", "").split()
    secrets = [POLKA_KEY, SECRET, SECRET[6:], "secretsecret", GUESS, *signatures]
    return not any(secret in text for secret in secrets if len(secret) > 4)


def test_a_delivery_that_was_taken_gives_no_warning(
    client: FlaskClient, sql: Sql, told: Told
) -> None:
    upgrade = an_event(a_user(sql), id=an_id())
    for event in (upgrade, upgrade, an_event(USER, "invoice.paid")):
        assert client.post(PATH, json=event, headers=API_KEY).status_code == 204

    assert told.lines == []


def test_of_a_delivery_that_was_taken_no_header_is_kept(
    signing_client: FlaskClient, sql: Sql
) -> None:
    body = private(an_event(a_user(sql)))
    headers = proofs(body)

    answer = signing_client.post(PATH, data=body, headers=headers)

    [[row]] = sql("SELECT webhook_events::text FROM webhook_events")
    [[membership]] = sql("SELECT memberships::text FROM memberships")
    shown = signing_client.get("/admin/webhooks")
    assert answer.status_code == 204
    for text in (row, membership, shown.text, str(answer.headers), str(shown.headers)):
        assert tells_no_secret(text, headers)


NOT_PROVEN: dict[str, tuple[dict[str, str], str]] = {
    "no key": ({"Authorization": ""}, "no ApiKey"),
    "a Bearer": ({"Authorization": f"Bearer {GUESS}"}, "no ApiKey"),
    "another key": ({"Authorization": f"ApiKey {GUESS}"}, "wrong ApiKey"),
    "the key cut short": ({"Authorization": f"ApiKey {POLKA_KEY[:-1]}"}, "wrong ApiKey"),
    "no id": ({"webhook-id": ""}, "webhook-id is missing or malformed"),
    "an id with a dot": ({"webhook-id": "msg.1"}, "webhook-id is missing or malformed"),
    "another id": ({"webhook-id": "msg_2"}, "no signature matches"),
    "no time": (
        {"webhook-timestamp": ""},
        "webhook-timestamp is missing, malformed or more than 5 minutes off",
    ),
    "long ago": (
        {"webhook-timestamp": "1614265330"},
        "webhook-timestamp is missing, malformed or more than 5 minutes off",
    ),
    "no signature": ({"webhook-signature": ""}, "no signature matches"),
    "another signature": ({"webhook-signature": f"v1,{'A' * 43}="}, "no signature matches"),
    "no base64": ({"webhook-signature": f"v1,{GUESS}"}, "a signature is not base64"),
    "too many": ({"webhook-signature": " ".join([f"v1,{GUESS}"] * 9)}, "too many signatures"),
}


@pytest.mark.parametrize(("changes", "reason"), NOT_PROVEN.values(), ids=NOT_PROVEN)
def test_the_log_has_the_reason_that_a_stranger_is_not_told(
    signing_client: FlaskClient, told: Told, changes: dict[str, str], reason: str
) -> None:
    body = private(an_event(USER))
    headers = proofs(body) | changes

    answer = signing_client.post(PATH, data=body, headers=headers)

    assert answer.status_code == 401
    assert told.reason(answer) == reason
    assert reason not in answer.text
    assert reason not in str(answer.headers)
    for text in (told.stream.getvalue(), answer.text, str(answer.headers)):
        assert tells_no_secret(text, headers)
        assert PRIVATE not in text


SOMEBODY = an_event(USER)
REFUSED: dict[str, tuple[bytes, int, str]] = {
    "no JSON": (private() + b"}", 400, "The request body is not valid JSON"),
    "no UTF-8": (private() + b"\xff", 400, "The request body is not valid JSON"),
    "empty": (b"", 400, "The request body is not valid JSON"),
    "no event": (private(), 400, "event is missing"),
    "a wrong user": (
        private(an_event(PRIVATE)),
        400,
        "data.user_id must be a UUID such as 3311741c-680c-4546-99f3-fc9efac2036c",
    ),
    "another id": (
        private(SOMEBODY | {"id": PRIVATE}),
        400,
        "id differs from the header webhook-id",
    ),
    "an unknown user": (private(SOMEBODY), 404, "There is no user with this id"),
    "too large": (private() + b" " * 65536, 413, "The request body is larger than 65536 bytes"),
}


@pytest.mark.parametrize(("body", "status", "reason"), REFUSED.values(), ids=REFUSED)
def test_each_refusal_is_one_line_of_the_log(
    signing_client: FlaskClient, told: Told, body: bytes, status: int, reason: str
) -> None:
    headers = proofs(body)

    answer = signing_client.post(PATH, data=body, headers=headers)

    assert answer.status_code == status
    assert told.reason(answer) == reason
    assert len(told.lines) == 1
    for text in (told.stream.getvalue(), answer.text, str(answer.headers)):
        assert tells_no_secret(text, headers)
        assert PRIVATE not in text


def test_so_is_a_body_too_large_that_came_in_chunks(client: FlaskClient, told: Told) -> None:
    request = chunked(b" " * 65537)

    answer = client.post(PATH, **request | {"headers": request["headers"] | API_KEY})

    assert answer.status_code == 413
    assert told.reason(answer) == "The request body is larger than 65536 bytes"


def test_so_is_an_id_that_stands_for_another_event(
    client: FlaskClient, sql: Sql, told: Told
) -> None:
    user_id = a_user(sql)
    client.post(PATH, data=private(an_event(user_id, id="evt_1")), headers=API_KEY)

    other = private(an_event(user_id, "user.downgraded", id="evt_1"))
    answer = client.post(PATH, data=other, headers=API_KEY)

    assert answer.status_code == 409
    assert told.reason(answer) == "Another event with this id was received before"
    assert PRIVATE not in told.stream.getvalue() + answer.text


def test_when_the_database_is_away_the_log_says_so_and_why(told: Told) -> None:
    body = private(SOMEBODY)
    headers = proofs(body)
    with a_client(NOBODY_LISTENS) as client:
        answer = client.post(PATH, data=body, headers=headers)

    cause, refusal = told.lines
    assert answer.status_code == 503
    assert told.reason(answer) == "The database is not available right now"
    assert cause["message"] == "Database unavailable"
    assert "Connection refused" in cause["cause"]
    assert "Connection refused" not in answer.text
    assert cause["request_id"] == refusal["request_id"]
    assert tells_no_secret(told.stream.getvalue(), headers)
    assert PRIVATE not in told.stream.getvalue()


@pytest.mark.parametrize("request_id", ["a", "7f9c24e8-3b12.A_z", "x" * 64])
def test_a_request_is_called_what_the_caller_calls_it(
    client: FlaskClient, told: Told, request_id: str
) -> None:
    answer = client.post(PATH, headers={"X-Request-Id": request_id})

    assert answer.headers["X-Request-Id"] == request_id
    assert told.reason(answer)


@pytest.mark.parametrize("request_id", [None, "", "a b", "x" * 65, "<script>", "é", '","', "a\tb"])
def test_unless_that_could_be_no_id(
    client: FlaskClient, told: Told, request_id: str | None
) -> None:
    headers = {} if request_id is None else {"X-Request-Id": request_id}

    answers = [client.post(PATH, headers=headers) for _ in "ab"]

    given = [answer.headers["X-Request-Id"] for answer in answers]
    assert all(re.fullmatch("[0-9a-f]{32}", made) for made in given)
    assert given[0] != given[1]
    assert [line["request_id"] for line in told.lines] == given


def test_what_a_stranger_sends_cannot_break_a_line(client: FlaskClient, told: Told) -> None:
    client.post(PATH, data=b'\n{"level":"ERROR"}\n', headers=API_KEY)

    assert len(told.lines) == 1


@pytest.mark.parametrize("command", [["list"], ["show", "evt_1"], ["prune", "--older-than=90d"]])
def test_without_its_database_a_command_names_the_next_step(command: list[str]) -> None:
    app = create_app(settings_for(make_url("postgresql+psycopg2://nobody@127.0.0.1:1/nothing")))

    told = app.test_cli_runner().invoke(args=["webhooks", *command])

    assert told.exit_code == 1
    assert "Next: start Postgres" in told.output
