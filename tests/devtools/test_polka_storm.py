"""Tests of `flask polka storm`: nothing is lost or counted twice, and judges notice if it is."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from click.testing import Result
from flask import Flask, abort, request
from sqlalchemy import URL, make_url

from chirpy import create_app
from chirpy.devtools.polka import storm as storm_module
from chirpy.devtools.polka.commands import polka
from chirpy.devtools.polka.delivery import Attempt, deliver
from chirpy.devtools.polka.judges import DatabaseJudge, event_rows
from chirpy.devtools.polka.receiver import Answer
from chirpy.devtools.polka.storm import StormEvent
from chirpy.devtools.postgres import EmbeddedPostgres
from chirpy.settings import DRIVER, parse_signing_key
from tests.support.databases import Sql, an_app, settings_for
from tests.support.factories import a_user
from tests.support.server import (
    PROJECT,
    TIMEOUT,
    Server,
    a_server,
    crash_postgres,
    free_port,
    wait_until,
)
from tests.support.wsgi_server import serve

SECRET = "whsec_" + "a" * 32
SMALL = ("--users=10", "--events=60", "--repeats=3", "--concurrency=8")
DATABASE = (*SMALL, "--verify=database")
PASSED = "no differences in webhook_events and memberships"
PASSED_OVER_HTTP = "no differences in is_chirpy_red of the users"
NO_DATABASE = URL.create(DRIVER, host="127.0.0.1", port=free_port(), database="x")

RunStorm = Callable[..., Result]


@pytest.fixture
def storm(app: Flask, server: Server) -> RunStorm:
    """Run a small storm that the database judges: `storm("--seed=1")`."""
    return lambda *options: run_storm(app, server.url, *DATABASE, *options)


def run_storm(app: Flask, url: str, *options: str) -> Result:
    to = f"--to={url}/api/polka/webhooks"
    return app.test_cli_runner().invoke(polka, ["storm", to, *options])


def counts(result: Result) -> dict[str, int]:
    """Return how many attempts had which answer."""
    lines = re.findall(r"^ +(\d+) (\d{3} .+)$", result.stdout, re.MULTILINE)
    return {answer: int(count) for count, answer in lines}


# Judged by the database


def test_storm_counts_every_delivery_of_every_event(storm: RunStorm, sql: Sql) -> None:
    result = storm("--keep")

    assert result.stdout.splitlines()[-1] == PASSED
    assert result.exit_code == 0
    assert "180 of 180 deliveries acknowledged in " in result.stdout
    stored = "SELECT count(*), min(deliveries), max(deliveries) FROM webhook_events"
    assert sql(stored) == [(60, 3, 3)]
    outcomes = sql("SELECT '204 ' || outcome, count(*) FROM webhook_events GROUP BY outcome")
    assert counts(result) == {**dict(outcomes), "204 duplicate": 120}


def test_storm_with_the_same_seed_has_the_same_plan(storm: RunStorm, sql: Sql) -> None:
    def stored(seed: int) -> list[Any]:
        storm(f"--seed={seed}", "--concurrency=1", "--keep")  # nothing else is random
        events = sql("SELECT type, outcome FROM webhook_events ORDER BY first_delivered_at")
        sql("TRUNCATE webhook_events")
        return events

    assert stored(7) == stored(7) != stored(8)


def test_storm_prints_its_seed(storm: RunStorm) -> None:
    assert re.search(r"\(--seed \d+\)$", storm().stdout.splitlines()[0])


def test_storm_without_shuffle_repeats_each_event_before_the_next(
    storm: RunStorm, sql: Sql
) -> None:
    storm("--no-shuffle", "--concurrency=1", "--keep")

    assert sql(
        """SELECT count(*) FROM webhook_events one JOIN webhook_events other
        ON one.first_delivered_at < other.first_delivered_at
        AND other.first_delivered_at < one.last_delivered_at"""
    ) == [(0,)]


def test_storm_passes_with_signatures(database_url: URL, emptied_database: None) -> None:
    with (
        an_app(database_url, polka_webhook_secrets=(parse_signing_key(SECRET),)) as app,
        a_server(database_url, POLKA_WEBHOOK_SECRETS=SECRET) as server,
    ):
        result = run_storm(app, server.url, *DATABASE)

    assert result.exit_code == 0
    assert ", signed, " in result.stdout


def test_storm_deletes_its_own_rows_only(storm: RunStorm, sql: Sql) -> None:
    user_id = str(a_user(sql))
    sql("INSERT INTO memberships VALUES (%s, true, now(), 'evt_1')", user_id)
    sql("INSERT INTO webhook_events (event_id, type) VALUES ('evt_1', 'x')")
    sql("INSERT INTO webhook_events (event_id, type, user_id) VALUES ('evt_2', 'x', %s)", user_id)
    tables = [f"TABLE {name}" for name in ("users", "memberships", "webhook_events")]
    before = [sql(table) for table in tables]

    assert storm().exit_code == 0
    assert [sql(table) for table in tables] == before


def test_storm_interrupted_by_ctrl_c_deletes_its_users(server: Server, sql: Sql) -> None:
    command = [sys.executable, "-m", "flask", "polka", "storm", "--events=5000", "--repeats=1"]
    with subprocess.Popen(
        command, cwd=PROJECT, env=server.environment, stderr=subprocess.DEVNULL
    ) as storm:
        wait_until(lambda: sql("SELECT 1 FROM webhook_events LIMIT 1"))
        storm.send_signal(signal.SIGINT)
        assert storm.wait(TIMEOUT) == 1

    assert sql("TABLE users") == sql("TABLE webhook_events") == []


TAMPERED = {
    "a membership is flipped": (
        "UPDATE memberships SET is_chirpy_red = NOT is_chirpy_red",
        "user .*: (True .* instead of False|False .* instead of True) ",
    ),
    "a membership is missing": (
        "DELETE FROM memberships",
        "user .*: nothing instead of (True|False) ",
    ),
    "a membership has another time": (
        "UPDATE memberships SET as_of = as_of - interval '1 second'",
        "user .* instead of ",
    ),
    "a membership has no event": (
        "INSERT INTO memberships SELECT id, true, now(), 'x' FROM users ON CONFLICT DO NOTHING",
        "user .*: True .* x instead of nothing",
    ),
    "an event is missing": ("DELETE FROM webhook_events", "event .*: nothing instead of "),
    "an event has two rows": (
        """INSERT INTO webhook_events (provider, event_id, type, user_id)
        SELECT 'other', event_id, type, user_id FROM webhook_events""",
        "event .*: .* or .* instead of ",
    ),
    "an event was never sent": (
        """INSERT INTO webhook_events (event_id, type, user_id)
        SELECT 'evt_1', type, user_id FROM webhook_events LIMIT 1""",
        "event evt_1: .* instead of nothing",
    ),
    "a delivery is counted twice": (
        "UPDATE webhook_events SET deliveries = deliveries + 1",
        "event .*: .* 4 instead of .* 3$",
    ),
    "a delivery is not counted": (
        "UPDATE webhook_events SET deliveries = deliveries - 1",
        "event .*: .* 2 instead of .* 3$",
    ),
    "an event has another type": (
        "UPDATE webhook_events SET type = 'x'",
        r"event .*: x .* instead of user\.(up|down)graded",
    ),
    "an outcome differs": (
        "UPDATE webhook_events SET outcome = 'ignored'",
        "event .*: .* ignored 3 instead of .* (applied|stale) 3$",
    ),
}


@pytest.mark.parametrize(("statement", "difference"), TAMPERED.values(), ids=TAMPERED)
def test_storm_database_judge_finds(
    app: Flask,
    server: Server,
    sql: Sql,
    monkeypatch: pytest.MonkeyPatch,
    statement: str,
    difference: str,
) -> None:
    def tamper_then_check(*arguments: Any) -> list[str]:
        sql(statement)
        found.extend(check(*arguments))
        return found

    found: list[str] = []
    check = DatabaseJudge.differences
    monkeypatch.setattr(DatabaseJudge, "differences", tamper_then_check)
    result = run_storm(app, server.url, "--users=20", "--events=12", "--verify=database")

    assert result.exit_code == 1
    assert found
    assert [line for line in found if not re.match(difference, line)] == []


def test_storm_database_judge_finds_lost_memberships(storm: RunStorm, sql: Sql) -> None:
    sql("CREATE FUNCTION forget() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'")
    sql("CREATE TRIGGER forget BEFORE INSERT ON memberships FOR ROW EXECUTE FUNCTION forget()")
    try:
        result = storm()
    finally:
        sql("DROP FUNCTION forget CASCADE")

    [number] = re.findall(r"^(\d+) differences in ", result.stdout, re.MULTILINE)
    assert result.exit_code == 1
    assert int(number) > 10
    assert len(re.findall("^  (event|user) ", result.stdout, re.MULTILINE)) == 10
    assert PASSED not in result.stdout


def test_storm_without_acknowledgement_does_not_pass(storm: RunStorm, sql: Sql) -> None:
    result = storm("--key=another", "--attempts=1")

    assert result.exit_code == 1
    assert "0 of 180 deliveries acknowledged" in result.stdout
    assert {answer[:3] for answer in counts(result)} == {"401"}
    assert "Nothing was checked: 180 deliveries have no 2xx" in result.stderr
    assert sql("TABLE users") == []


def test_storm_without_database_prints_the_next_step() -> None:
    result = create_app(settings_for(NO_DATABASE)).test_cli_runner().invoke(polka, ["storm"])

    assert result.exit_code == 1
    assert "Next: start Postgres" in result.stderr


@pytest.fixture
def failures(
    crashable_postgres: EmbeddedPostgres, crashable_server: Server, monkeypatch: pytest.MonkeyPatch
) -> list[int]:
    """Kill a worker and crash Postgres during a storm; return after which attempts it happened."""
    happened: list[int] = []
    wait_until(lambda: len(crashable_server.workers) == 2)  # an earlier storm killed one
    worker = crashable_server.workers[0]

    def deliver_and_fail(*arguments: Any, **limits: Any) -> Iterator[Attempt]:
        for number, attempt in enumerate(deliver(*arguments, **limits), start=1):
            if number == 30:
                os.kill(worker, signal.SIGKILL)
                happened.append(number)
            if number == 100:
                crash_postgres(crashable_postgres)
                crashable_postgres.ensure_running()
                happened.append(number)
            yield attempt

    monkeypatch.setattr(storm_module, "deliver", deliver_and_fail)
    return happened


@pytest.mark.parametrize("run", range(5))
def test_storm_loses_nothing_when_a_worker_is_killed_and_postgres_crashes(
    crashable_postgres: EmbeddedPostgres, crashable_server: Server, failures: list[int], run: int
) -> None:
    size = ("--users=30", "--events=200", "--repeats=3", "--verify=database")
    with an_app(make_url(crashable_postgres.url).set(drivername=DRIVER)) as app:
        result = run_storm(app, crashable_server.url, *size)

    assert failures == [30, 100]
    assert result.stdout.splitlines()[-1] == PASSED, result.output
    assert result.exit_code == 0
    assert any(not answer.startswith("204 ") for answer in counts(result))


# Judged over HTTP


@pytest.fixture
def http_storm() -> RunStorm:
    """Run a small storm without a database: `http_storm(url, "--mixed")`."""
    app = create_app(settings_for(NO_DATABASE))
    return lambda url, *options: run_storm(app, url, *SMALL, *options)


@pytest.mark.parametrize("options", [[], ["--mixed"]], ids=str)
def test_storm_over_http_passes_for_chirpy_and_leaves_its_users(
    server: Server, sql: Sql, http_storm: RunStorm, options: list[str]
) -> None:
    result = http_storm(server.url, "--users=4", *options)

    assert result.stdout.splitlines()[-1] == PASSED_OVER_HTTP
    assert result.exit_code == 0
    assert f"making 4 users on {server.url}/, which stay there" in result.stdout
    assert sql("SELECT count(*) FROM users") == [(4,)]


def test_storm_of_its_own_server_is_judged_by_the_database(server: Server, sql: Sql) -> None:
    command = [sys.executable, "-m", "flask", "polka", "storm", *SMALL]
    ended = subprocess.run(
        command, cwd=PROJECT, env=server.environment, capture_output=True, text=True, check=True
    )

    assert ended.stdout.splitlines()[-1] == PASSED
    assert sql("TABLE users") == []


def upgrade(red: dict[str, bool], user_id: str, kind: str) -> None:
    """Do what the course asks for."""
    red[user_id] = red[user_id] or kind == "user.upgraded"


def toggle(red: dict[str, bool], user_id: str, kind: str) -> None:
    red[user_id] = not red[user_id]


def forget(red: dict[str, bool], user_id: str, kind: str) -> None:
    """Acknowledge without storing."""


def follow_arrival(red: dict[str, bool], user_id: str, kind: str) -> None:
    red[user_id] = kind == "user.upgraded"


@contextmanager
def another_chirpy(
    receive: Callable[[dict[str, bool], str, str], None] = upgrade, broken: str = ""
) -> Iterator[str]:
    """Run a small Chirpy without timestamps, whose path `broken` fails; yield its URL."""
    app, red = Flask(__name__), dict[str, bool]()

    @app.before_request
    def fail() -> None:
        if request.path == broken:
            abort(500)

    @app.post("/api/users")
    def sign_up() -> tuple[dict[str, Any], int]:
        red[request.json["email"]] = False
        return {"id": request.json["email"]}, 201

    @app.post("/api/login")
    def login() -> dict[str, Any]:
        return {"is_chirpy_red": red[request.json["email"]]}

    @app.post("/api/polka/webhooks")
    def receive_event() -> tuple[str, int]:
        receive(red, request.json["data"]["user_id"], request.json["event"])
        return "", 204

    with serve(app) as url:
        yield url


def test_storm_over_http_passes_for_a_course_conform_server(http_storm: RunStorm) -> None:
    with another_chirpy(upgrade) as url:
        result = http_storm(url)

    assert result.stdout.splitlines()[-1] == PASSED_OVER_HTTP, result.output
    assert result.exit_code == 0


@pytest.mark.parametrize(
    ("receive", "options"),
    [(toggle, []), (forget, []), (upgrade, ["--mixed"]), (follow_arrival, ["--mixed"])],
)
def test_storm_over_http_finds_wrong_users(
    http_storm: RunStorm, receive: Callable[..., None], options: list[str]
) -> None:
    with another_chirpy(receive) as url:
        result = http_storm(url, "--seed=1", "--concurrency=1", *options)

    assert result.exit_code == 1
    wrong = (
        "is_chirpy_red (true instead of is_chirpy_red false|false instead of is_chirpy_red true)"
    )
    assert re.search(f"^  user .*: {wrong}$", result.stdout, re.MULTILINE)


@pytest.mark.parametrize("path", ["/api/users", "/api/login"])
def test_storm_over_http_names_the_request_that_failed(http_storm: RunStorm, path: str) -> None:
    with another_chirpy(broken=path) as url:
        result = http_storm(url)

    assert result.exit_code == 1
    assert f"POST {url}{path}" in result.stderr
    assert "500 INTERNAL SERVER ERROR" in result.stderr
    assert "Next: " in result.stderr


def test_storm_over_http_reports_a_server_that_is_not_running(http_storm: RunStorm) -> None:
    result = http_storm(f"http://127.0.0.1:{free_port()}")

    assert result.exit_code == 1
    assert "/api/users which answered: no answer: Connection refused" in result.stderr.replace(
        ",", ""
    )


def test_storm_outside_development_is_refused(database_url: URL) -> None:
    result = (
        create_app(settings_for(database_url, platform="prod"))
        .test_cli_runner()
        .invoke(polka, ["storm"])
    )

    assert result.exit_code == 1
    assert "PLATFORM=dev" in result.stderr


@pytest.mark.parametrize(
    ("answers", "is_last", "outcomes", "deliveries"),
    [
        (["204 applied", "204 duplicate"], True, {"applied"}, {2}),
        (["204 stale", "204 duplicate"], False, {"stale"}, {2}),
        (["204 stale"], True, {"one of ['stale']"}, {1}),
        (["204 applied", "204 applied"], True, {"one of ['applied', 'applied']"}, {2}),
        (["204 duplicate", "204 duplicate"], True, {"one of []"}, {2}),
        (["0 lost", "204 duplicate"], False, {"applied", "stale"}, {1, 2}),
        (["503 busy", "204 applied"], True, {"applied"}, {1, 2}),
        (["401 refused", "204 applied"], True, {"applied"}, {1}),
    ],
)
def test_storm_database_judge_expects_rows_that_fit_the_answers(
    answers: list[str], is_last: bool, outcomes: set[str], deliveries: set[int]
) -> None:
    event = StormEvent("user", datetime.now(UTC), "evt_1", is_upgrade=True)
    given = [Answer(int(answer.split()[0]), answer.split()[1], {}, 0) for answer in answers]

    rows = event_rows(event, is_last, given)

    assert ({row[3] for row in rows}, {row[4] for row in rows}) == (outcomes, deliveries)
