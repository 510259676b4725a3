"""The delivery log in the shell: `flask webhooks list`, `show` and `prune`."""

import json
import re
from collections.abc import Callable

import pytest
from click.testing import Result
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import make_url

from chirpy import create_app
from chirpy.webhooks import pruning
from tests.support.commands import error_of
from tests.support.databases import Sql, settings_for
from tests.support.deliveries import KNOWN_USER, PATH, days_ago, insert_event
from tests.support.factories import API_KEY, a_user, an_event

RunCommand = Callable[..., Result]


@pytest.fixture
def webhooks(app: Flask) -> RunCommand:
    """Return a function that runs `flask webhooks …`."""
    return lambda *arguments: app.test_cli_runner().invoke(args=["webhooks", *arguments])


def test_list_prints_a_line_for_each_event_newest_first(webhooks: RunCommand, sql: Sql) -> None:
    user_id = str(KNOWN_USER)
    insert_event(sql, event_id="old", user_id=user_id, outcome="stale", deliveries=12)
    sql("UPDATE webhook_events SET body = NULL")
    insert_event(sql, event_id="new", type="paid", first_delivered_at="2026-02-01T00:00:00Z")

    result = webhooks("list")

    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert [re.split("  +", line) for line in lines] == [
        ["FIRST DELIVERED", "OUTCOME", "DELIVERIES", "BODY", "TYPE", "USER", "EVENT ID"],
        ["2026-02-01T00:00:00.000000Z", "ignored", "1", "stored", "paid", "-", "new"],
        ["2026-01-31T12:00:00.000000Z", "stale", "12", "pruned", "x", user_id, "old"],
    ]
    assert lines[0].index("EVENT ID") == lines[1].index("new") == lines[2].index("old")


@pytest.mark.parametrize(
    ("options", "stdout", "stderr"),
    [
        ([], "", "The delivery log is empty\n"),
        (["--outcome=stale"], "", "No event matches\n"),
        (["--json"], "[]\n", ""),
    ],
)
def test_list_without_events_says_so_but_not_as_json(
    webhooks: RunCommand, options: list[str], stdout: str, stderr: str
) -> None:
    result = webhooks("list", *options)

    assert (result.exit_code, result.stdout, result.stderr) == (0, stdout, stderr)


def test_list_as_json_prints_what_http_returns(
    webhooks: RunCommand, client: FlaskClient, sql: Sql
) -> None:
    client.post(PATH, json=an_event(a_user(sql), id="Ünï 🐦"), headers=API_KEY)
    insert_event(sql, body=None)

    result = webhooks("list", "--json")

    assert json.loads(result.stdout) == client.get("/admin/webhooks").get_json()
    assert "Ünï 🐦" in result.stdout


def test_list_stops_at_the_limit(webhooks: RunCommand, sql: Sql) -> None:
    sql("INSERT INTO webhook_events (event_id, type) SELECT i, 'x' FROM generate_series(1, 101) i")

    lengths = [
        len(json.loads(webhooks("list", "--json", *limit).stdout))
        for limit in ([], ["--limit=2"], ["--limit=1000"])
    ]

    assert lengths == [100, 2, 101]


@pytest.mark.parametrize(
    "option",
    [
        *("--outcome=stale", "--type=user.upgraded", f"--user={KNOWN_USER}"),
        *("--since=2026-02-01", "--since=2026-02-01T02:00:00+02:00"),
    ],
)
def test_list_option_finds_the_matching_events(webhooks: RunCommand, sql: Sql, option: str) -> None:
    insert_event(sql)
    matching = {"outcome": "stale", "type": "user.upgraded", "user_id": str(KNOWN_USER)}
    event_id = insert_event(sql, first_delivered_at="2026-02-01T00:00:00Z", **matching)

    [event] = json.loads(webhooks("list", "--json", option).stdout)

    assert event["event_id"] == event_id


@pytest.mark.parametrize("age", ["36h", "2d", "1w", "3000m", "180000s"])
def test_list_since_an_age_finds_newer_events(webhooks: RunCommand, sql: Sql, age: str) -> None:
    insert_event(sql, first_delivered_at=days_ago(8))
    newer = insert_event(sql, first_delivered_at=days_ago(1))

    [event] = json.loads(webhooks("list", "--json", f"--since={age}").stdout)

    assert event["event_id"] == newer


@pytest.mark.parametrize("since", ["yesterday", "5", "5 d", "-5d", "999999d", "999999w", "12:00"])
def test_list_since_an_invalid_time_is_a_usage_error(webhooks: RunCommand, since: str) -> None:
    result = webhooks("list", f"--since={since}")

    assert result.exit_code == 2
    assert f"{since!r} is neither an age such as 90d or 12h nor a time" in result.stderr


def test_show_prints_each_field_of_one_event_as_http_returns_it(
    webhooks: RunCommand, client: FlaskClient, sql: Sql
) -> None:
    insert_event(sql, event_id="evt_1", user_id=str(KNOWN_USER), body='{ "event":"x" }')
    insert_event(sql, first_delivered_at="2026-01-01T00:00:00Z")

    result = webhooks("show", "evt_1")

    assert result.exit_code == 0
    event, _ = client.get("/admin/webhooks").get_json()
    assert [line.split(maxsplit=1) for line in result.stdout.splitlines()] == [
        [name, str(value)] for name, value in event.items()
    ]


def test_no_command_writes_control_characters_of_an_event_to_the_terminal(
    webhooks: RunCommand, client: FlaskClient, sql: Sql
) -> None:
    event = {"event": "\x1b[31m\x9b\u202e", "id": "\x1b]0;x\a\nb", "data": "\x7f\x9b"}
    body = json.dumps(event, indent=1, ensure_ascii=False)
    assert client.post(PATH, data=body.encode(), headers=API_KEY).status_code == 204

    texts = [webhooks(*command).stdout for command in (["list"], ["show", event["id"]])]
    as_json = webhooks("list", "--json").stdout

    assert not re.search("[^\\w\\s!-~]|[\\r\x1c-\x1f\x85]", "".join([*texts, as_json]))
    assert [len(text.splitlines()) for text in texts] == [2, 7 + body.count("\n") + 1]
    assert all(r"\u001b]0;x\u0007\u000ab" in text for text in texts)
    assert json.loads(as_json) == client.get("/admin/webhooks").get_json()


def test_show_says_that_a_body_is_pruned_and_that_there_is_no_user(
    webhooks: RunCommand, sql: Sql
) -> None:
    insert_event(sql, event_id="evt_1", body=None)

    lines = dict(line.split() for line in webhooks("show", "evt_1").stdout.splitlines())

    assert (lines["body"], lines["user_id"]) == ("(pruned)", "-")


def test_show_unknown_event_names_the_next_command(webhooks: RunCommand) -> None:
    result = webhooks("show", "evt_1")

    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "Error: No event 'evt_1'. Next: flask webhooks list\n"


def test_prune_deletes_the_bodies_of_old_events_and_nothing_else(
    webhooks: RunCommand, sql: Sql
) -> None:
    insert_event(sql, event_id="old", first_delivered_at=days_ago(91))
    insert_event(sql, event_id="new", first_delivered_at=days_ago(89))
    insert_event(sql, first_delivered_at=days_ago(99), last_delivered_at=days_ago(1))
    other_columns = "SELECT to_jsonb(webhook_events) - 'body' FROM webhook_events ORDER BY id"
    before = sql(other_columns)

    results = [webhooks("prune", "--older-than", "90d") for _ in range(2)]

    assert [result.stdout for result in results] == ["Pruned 1 body\n", "Pruned 0 bodies\n"]
    assert sql("SELECT event_id FROM webhook_events WHERE body IS NULL") == [("old",)]
    assert sql(other_columns) == before


def test_prune_continues_until_all_old_bodies_are_deleted(
    webhooks: RunCommand, sql: Sql, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pruning, "BATCH", 2)
    for day in ["2025-12-01", "2025-12-02", "2025-12-03", "2025-12-03"]:  # two batches
        insert_event(sql, first_delivered_at=day, body=None)
    for _ in range(5):
        insert_event(sql)

    result = webhooks("prune", "--older-than", "2026-02-02")

    assert result.stdout == "Pruned 5 bodies\n"
    assert sql("SELECT count(body) FROM webhook_events") == [(0,)]


@pytest.mark.parametrize("options", [[], ["--older-than=2999-01-31"]])
def test_prune_without_an_age_in_the_past_is_a_usage_error(
    webhooks: RunCommand, sql: Sql, options: list[str]
) -> None:
    insert_event(sql)

    assert webhooks("prune", *options).exit_code == 2
    assert sql("SELECT count(body) FROM webhook_events") == [(1,)]


@pytest.mark.parametrize("members", [{"id": "evt_1"}, {"timestamp": "2026-01-31T12:00:00Z"}])
def test_duplicate_of_a_pruned_event_and_another_event_with_its_id_are_detected(
    webhooks: RunCommand, client: FlaskClient, sql: Sql, members: dict[str, str]
) -> None:
    upgrade = an_event(a_user(sql), **members)
    client.post(PATH, json=upgrade, headers=API_KEY)
    webhooks("prune", "--older-than", "0s")

    duplicate = client.post(PATH, json=upgrade, headers=API_KEY)
    other = client.post(PATH, json=upgrade | {"event": "user.downgraded"}, headers=API_KEY)

    assert duplicate.headers["Webhook-Outcome"] == "duplicate"
    assert other.status_code == (409 if "id" in members else 204)
    assert (2, None) in sql("SELECT deliveries, body FROM webhook_events")


@pytest.mark.parametrize("command", [["list"], ["show", "evt_1"], ["prune", "--older-than=90d"]])
def test_command_without_a_database_names_the_next_step(command: list[str]) -> None:
    app = create_app(settings_for(make_url("postgresql+psycopg2://nobody@127.0.0.1:1/nothing")))

    assert "Next: start Postgres" in error_of(app, "webhooks", *command)
