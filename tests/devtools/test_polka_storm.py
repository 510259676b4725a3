"""Tests of `flask polka storm`: nothing is lost or counted twice, and judges notice if it is."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import URL, make_url

from chirpy import create_app
from chirpy.devtools.polka import delivery, judges
from chirpy.devtools.polka.commands import polka
from chirpy.devtools.polka.delivery import Attempt, deliver
from chirpy.devtools.polka.events import Event
from chirpy.devtools.polka.receiver import Answer
from chirpy.devtools.postgres import EmbeddedPostgres
from chirpy.settings.database_url import DRIVER
from tests.support.databases import Sql, an_app, settings_for
from tests.support.factories import a_user
from tests.support.failures import OTHERS
from tests.support.other_chirpy import another_chirpy, follow_arrival, forget, toggle, upgrade
from tests.support.server import (
    PROJECT,
    TIMEOUT,
    Server,
    crash_postgres,
    free_port,
    run_python,
    wait_until,
)

SMALL = ("--users=10", "--events=60", "--repeats=3", "--concurrency=8")
DATABASE = (*SMALL, "--verify=database")
PASSED = "no differences (--verify database)"
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

    assert result.exit_code == 0
    assert result.stdout.splitlines()[-1] == PASSED
    assert "180 of 180 acknowledged in " in result.stdout
    stored = "SELECT count(*), min(deliveries), max(deliveries) FROM webhook_events"
    assert sql(stored) == [(60, 3, 3)]
    outcomes = sql("SELECT '204 ' || outcome, count(*) FROM webhook_events GROUP BY outcome")
    assert counts(result) == {**dict(outcomes), "204 duplicate": 120}


def test_storm_with_the_printed_seed_has_the_same_plan(storm: RunStorm, sql: Sql) -> None:
    def run(*options: str) -> tuple[str, list[Any]]:
        result = storm("--concurrency=1", "--keep", *options)  # nothing else is random
        events = sql("SELECT type, outcome FROM webhook_events ORDER BY first_delivered_at")
        sql("TRUNCATE webhook_events")
        return re.findall(r"\(--seed (\d+)\)$", result.stdout, re.MULTILINE)[0], events

    seed, events = run()
    assert run(f"--seed={seed}") == (seed, events)
    assert run(f"--seed={int(seed) + 1}")[1] != events


def test_storm_without_shuffle_repeats_each_event_before_the_next(
    storm: RunStorm, sql: Sql
) -> None:
    storm("--no-shuffle", "--concurrency=1", "--keep")

    assert sql(
        """SELECT count(*) FROM webhook_events one JOIN webhook_events other
        ON one.first_delivered_at < other.first_delivered_at
        AND other.first_delivered_at < one.last_delivered_at"""
    ) == [(0,)]


def test_storm_deletes_its_own_rows_only(storm: RunStorm, sql: Sql) -> None:
    user_id = str(a_user(sql))
    sql("INSERT INTO memberships VALUES (%s, true, now(), 'evt_1')", user_id)
    sql("INSERT INTO webhook_events (event_id, type, user_id) VALUES ('evt_1', 'x', %s)", user_id)
    tables = [f"TABLE {name}" for name in ("users", "memberships", "webhook_events")]
    before = [sql(table) for table in tables]

    assert storm().exit_code == 0
    assert [sql(table) for table in tables] == before


@pytest.mark.faults
def test_storm_interrupted_by_ctrl_c_deletes_its_users(server: Server, sql: Sql) -> None:
    command = [sys.executable, "-m", "flask", "polka", "storm", "--events=5000", "--repeats=1"]
    with subprocess.Popen(
        command, cwd=PROJECT, env=server.environment, stderr=subprocess.DEVNULL
    ) as storm:
        try:
            wait_until(lambda: sql("SELECT 1 FROM webhook_events LIMIT 1"))
            storm.send_signal(signal.SIGINT)
            assert storm.wait(TIMEOUT) == 1
        finally:
            storm.kill()  # else a storm that hangs would keep the test waiting

    assert sql("TABLE users") == sql("TABLE webhook_events") == []


ADD_MEMBERSHIP = (
    "INSERT INTO memberships SELECT id, true, now(), 'x' FROM users ON CONFLICT DO NOTHING"
)
ADD_EVENT = """INSERT INTO webhook_events (provider, event_id, type, user_id)
    SELECT {}, type, user_id FROM webhook_events ON CONFLICT DO NOTHING"""


@pytest.mark.parametrize(
    ("statement", "difference"),
    [
        ("UPDATE memberships SET is_chirpy_red = NOT is_chirpy_red", "user .* instead of [TF]"),
        ("UPDATE memberships SET as_of = as_of - interval '1 s'", "user .* instead of [TF]"),
        ("UPDATE memberships SET event_id = 'x'", "user .* x instead of [TF]"),
        ("DELETE FROM memberships", "user .*: nothing instead of [TF]"),
        (ADD_MEMBERSHIP, "user .*: True .* x instead of nothing"),
        ("DELETE FROM webhook_events", "event .*: nothing instead of user"),
        (ADD_EVENT.format("'polka', 'x'"), "event x of polka: .* instead of nothing"),
        (ADD_EVENT.format("'other', event_id"), "event .* of other: .* instead of nothing"),
        ("UPDATE webhook_events SET deliveries = deliveries + 1", "event .* 4 instead of .* 3$"),
        ("UPDATE webhook_events SET deliveries = deliveries - 1", "event .* 2 instead of .* 3$"),
        ("UPDATE webhook_events SET type = 'x'", "event .*: x .* instead of user"),
        ("UPDATE webhook_events SET outcome = 'ignored'", "event .* ignored 3 instead of .* 3$"),
        ("UPDATE webhook_events SET occurred_at = NULL", "event .* None .* instead of .* 3$"),
    ],
)
def test_storm_database_judge_finds(
    storm: RunStorm, sql: Sql, monkeypatch: pytest.MonkeyPatch, statement: str, difference: str
) -> None:
    def tamper_then_compare(*arguments: Any) -> list[str]:
        sql(statement)
        found.extend(compare_rows(*arguments))
        return found

    found: list[str] = []
    compare_rows = judges.compare_rows
    monkeypatch.setattr(judges, "compare_rows", tamper_then_compare)
    result = storm("--users=20", "--events=12")

    assert result.exit_code == 1
    assert re.search(rf"^{len(found)} differences? \(", result.stdout, re.MULTILINE)
    assert re.findall("^  (event.*|user.*)$", result.stdout, re.MULTILINE) == found[:10] != []
    assert [line for line in found if not re.match(difference, line)] == []


@pytest.mark.parametrize(
    ("answers", "outcomes", "deliveries"),
    [
        (["204 applied", "204 duplicate"], {"applied"}, {"2"}),
        (["204 duplicate", "204 stale"], {"stale"}, {"2"}),
        (["0 lost", "204 duplicate"], {"applied", "stale"}, {"1", "2"}),
        (["503 busy", "204 applied"], {"applied"}, {"1", "2"}),
        (["401 refused", "204 applied"], {"applied"}, {"1"}),
        (["204 applied", "204 applied"], {"times"}, {"2"}),
        (["204 duplicate", "204 duplicate"], {"times"}, {"2"}),
    ],
    # No ids: the text of a set differs between the processes of pytest-xdist.
)
def test_storm_database_judge_expects_rows_that_fit_the_answers(
    answers: list[str], outcomes: set[str], deliveries: set[str]
) -> None:
    event = Event("user", "now", "evt_1", "user.upgraded", {})
    given = [Answer(int(answer.split()[0]), answer.split()[1], {}, 0) for answer in answers]

    rows = [row.split() for row in judges.event_rows(event, given)]

    assert ({row[-2] for row in rows}, {row[-1] for row in rows}) == (outcomes, deliveries)


def test_storm_database_judge_survives_the_loss_of_its_connection(
    storm: RunStorm, sql: Sql, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lose_connection_once(users: list[UUID]) -> Iterator[tuple[str, str]]:
        rows = stored_rows(users)
        yield next(rows)
        if not lost:
            lost.extend(sql(f"SELECT pg_terminate_backend(pid, 10000) {OTHERS}"))
        yield from rows

    lost: list[tuple[bool]] = []
    stored_rows = judges.stored_rows
    monkeypatch.setattr(judges, "stored_rows", lose_connection_once)
    monkeypatch.setattr(judges, "PAUSE", 0)
    result = storm()

    assert result.stdout.splitlines()[-1] == PASSED, result.output
    assert lost
    assert sql("TABLE users") == sql("TABLE webhook_events") == []


def test_storm_without_acknowledgement_does_not_pass(storm: RunStorm, sql: Sql) -> None:
    result = storm("--key=another", "--attempts=1")

    assert result.exit_code == 1
    assert "0 of 180 acknowledged" in result.stdout
    assert {answer[:3] for answer in counts(result)} == {"401"}
    assert sum(counts(result).values()) < 180  # it stops after the first delivery given up
    assert "Nothing was checked: 180 deliveries have no 2xx" in result.stderr
    assert sql("TABLE users") == []


@pytest.mark.parametrize(
    ("platform", "problem"), [("dev", "Next: start Postgres"), ("prod", "Next: set PLATFORM=dev")]
)
def test_storm_without_database_or_outside_development_fails(platform: str, problem: str) -> None:
    app = create_app(settings_for(NO_DATABASE, platform=platform))
    result = app.test_cli_runner().invoke(polka, ["storm"])

    assert result.exit_code == 1
    assert problem in result.stderr


@pytest.fixture
def failures(
    crashable_postgres: EmbeddedPostgres, crashable_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kill a worker and crash Postgres during a storm."""
    wait_until(lambda: len(crashable_server.workers) == 2)  # an earlier storm killed one
    worker = crashable_server.workers[0]

    def deliver_and_fail(*arguments: Any) -> Iterator[Attempt]:
        for number, attempt in enumerate(deliver(*arguments)):
            if number == 30:
                os.kill(worker, signal.SIGKILL)
            if number == 100:
                crash_postgres(crashable_postgres)
                crashable_postgres.ensure_running()
            yield attempt

    monkeypatch.setattr(delivery, "deliver", deliver_and_fail)


@pytest.mark.faults
@pytest.mark.usefixtures("failures")
@pytest.mark.parametrize("run", range(2))
def test_storm_loses_nothing_when_a_worker_is_killed_and_postgres_crashes(
    crashable_postgres: EmbeddedPostgres, crashable_server: Server, run: int
) -> None:
    size = ("--users=30", "--events=200", "--repeats=3", "--verify=database")
    with an_app(make_url(crashable_postgres.url).set(drivername=DRIVER)) as app:
        result = run_storm(app, crashable_server.url, *size)

    assert result.stdout.splitlines()[-1] == PASSED, result.output
    assert result.exit_code == 0
    assert any(answer.startswith("503 ") for answer in counts(result))


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

    assert result.stdout.splitlines()[-1] == "no differences (--verify http)"
    assert result.exit_code == 0
    assert f"Making 4 users on {server.url}/, which stay there" in result.stdout
    assert sql("SELECT count(*) FROM users") == [(4,)]


def test_storm_of_its_own_server_is_judged_by_the_database(server: Server, sql: Sql) -> None:
    ended = run_python(PROJECT, "-m", "flask", "polka", "storm", *SMALL, **server.environment)

    assert ended.stdout.splitlines()[-1] == PASSED
    assert sql("TABLE users") == []


WRONG = "  is_chirpy_red of user .*: (true instead of false|false instead of true)"


@pytest.mark.parametrize(
    ("receive", "options", "line"),
    [
        (upgrade, [], r"no differences \(--verify http\)"),
        (toggle, [], WRONG),
        (forget, [], WRONG),
        (upgrade, ["--mixed"], WRONG),
        (follow_arrival, ["--mixed"], WRONG),
    ],
)
def test_storm_over_http_finds_wrong_users_only(
    http_storm: RunStorm, receive: Callable[..., None], options: list[str], line: str
) -> None:
    with another_chirpy(receive) as url:
        result = http_storm(url, "--seed=1", "--concurrency=1", *options)

    assert re.fullmatch(line, result.stdout.splitlines()[-1])
    assert result.exit_code == (line is WRONG)


def test_storm_over_http_waits_for_a_busy_server(
    http_storm: RunStorm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "LONGEST_WAIT", 0.01)
    with another_chirpy(upgrade, busy=9) as url:
        assert http_storm(url).exit_code == 0


def test_storm_over_http_names_the_request_that_failed(http_storm: RunStorm) -> None:
    for path in ("api/users", "api/login"):
        with another_chirpy(upgrade, broken=path) as url:
            result = http_storm(url)

        assert result.exit_code == 1
        assert f"POST {url}/{path}: 500 INTERNAL SERVER ERROR. Next: " in result.stderr
    assert "Connection refused. Next: " in http_storm(url).stderr
