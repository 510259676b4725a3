"""What a storm proves: nothing is lost and nothing counts twice, whatever is killed meanwhile."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import URL, make_url

from chirpy import create_app
from chirpy.devtools.polka.commands import polka
from chirpy.devtools.polka.crowd import crowd
from chirpy.devtools.polka.delivery import Round, Sent
from chirpy.devtools.polka.receiver import Receiver
from chirpy.devtools.polka.storm import Tallies, plan
from chirpy.devtools.polka.verdict import differences
from chirpy.devtools.postgres import PrivatePostgres
from chirpy.settings import DRIVER, signing_key
from tests.support.databases import POLKA_KEY, Sql, a_settings, an_app
from tests.support.factories import a_user
from tests.support.server import (
    PATIENCE,
    PROJECT,
    Server,
    a_free_port,
    a_server,
    crash,
    wait_until,
)

SECRET = "whsec_" + "a" * 32
SMALL = ("--users=10", "--events=60", "--repeats=3", "--concurrency=8")
NOTHING_LOST = "nothing lost, nothing twice"

Storm = Callable[..., Result]


@pytest.fixture
def storm(app: Flask, server: Server) -> Storm:
    """A small storm: `storm("--seed=1")`."""
    return lambda *options: blow(app, server.url, *SMALL, *options)


def blow(app: Flask, url: str, *options: str) -> Result:
    where = f"--to={url}/api/polka/webhooks"
    return app.test_cli_runner().invoke(polka, ["storm", where, *options])


def told(result: Result, what: str) -> str:
    """One line of the summary."""
    [line] = re.findall(rf"^{what} +(.*)$", result.stdout, re.MULTILINE)
    return str(line)


def outcomes(result: Result) -> dict[str, int]:
    pairs = re.findall(r"(\d+) (\w+)", told(result, "outcomes"))
    return {word: int(count) for count, word in pairs}


# On a server in good health


def test_it_ends_with_every_event_once_and_every_delivery_counted(storm: Storm, sql: Sql) -> None:
    result = storm("--keep")

    assert result.stdout.splitlines()[-1] == NOTHING_LOST
    assert result.exit_code == 0
    assert told(result, "acknowledged").startswith("180 of 180 deliveries in ")
    assert (told(result, "attempts"), told(result, "failures")) == ("180", "none")
    assert sql("SELECT count(*), min(deliveries), max(deliveries) FROM webhook_events") == [
        (60, 3, 3)
    ]
    kept = sql("SELECT outcome, count(*) FROM webhook_events GROUP BY outcome")
    assert outcomes(result) == {**dict(kept), "duplicate": 120}


def test_the_same_seed_is_the_same_storm(storm: Storm, sql: Sql) -> None:
    def blown(seed: int) -> list[Any]:
        storm(f"--seed={seed}", "--concurrency=1", "--keep")  # chance has no other way in
        left = sql("SELECT type, outcome FROM webhook_events ORDER BY first_delivered_at")
        sql("TRUNCATE webhook_events")
        return left

    assert blown(7) == blown(7) != blown(8)


def test_the_seed_is_shown(storm: Storm) -> None:
    assert re.search(r"\(--seed \d+\)$", storm().stdout.splitlines()[0])


def test_without_shuffle_each_event_comes_several_times_in_a_row(storm: Storm, sql: Sql) -> None:
    storm("--no-shuffle", "--concurrency=1", "--keep")

    assert sql(
        """SELECT count(*) FROM webhook_events one JOIN webhook_events other
        ON one.first_delivered_at < other.first_delivered_at
        AND other.first_delivered_at < one.last_delivered_at"""
    ) == [(0,)]


def test_signed_it_is_the_same(database_url: URL, emptied: None) -> None:
    with (
        an_app(database_url, polka_webhook_secrets=(signing_key(SECRET),)) as app,
        a_server(database_url, POLKA_WEBHOOK_SECRETS=SECRET) as server,
    ):
        result = blow(app, server.url, *SMALL)

    assert result.exit_code == 0
    assert ", signed, " in result.stdout


def test_afterwards_only_what_was_there_before_is_left(storm: Storm, sql: Sql) -> None:
    user_id = a_user(sql)
    sql("INSERT INTO memberships VALUES (%s, true, now(), 'evt_1')", str(user_id))
    sql("INSERT INTO webhook_events (event_id, type) VALUES ('evt_1', 'x')")
    sql(
        "INSERT INTO webhook_events (event_id, type, user_id) VALUES ('evt_2', 'x', %s)",
        str(user_id),
    )
    tables = [f"TABLE {name}" for name in ("users", "memberships", "webhook_events")]
    before = [sql(table) for table in tables]

    assert storm().exit_code == 0
    assert [sql(table) for table in tables] == before


def test_broken_off_it_removes_its_users_too(server: Server, sql: Sql) -> None:
    command = [sys.executable, "-m", "flask", "polka", "storm", "--events=5000", "--repeats=1"]
    with subprocess.Popen(
        command, cwd=PROJECT, env=server.environment, stderr=subprocess.DEVNULL
    ) as storm:
        wait_until(lambda: sql("SELECT 1 FROM webhook_events LIMIT 1"))
        storm.send_signal(signal.SIGINT)
        assert storm.wait(PATIENCE) == 1

    assert sql("TABLE users") == sql("TABLE webhook_events") == []


# What it would not overlook

TAMPERED = {
    "a membership is flipped": (
        "UPDATE memberships SET is_chirpy_red = NOT is_chirpy_red",
        "user .*: (red as of .* instead of not red|not red as of .* instead of red) as of ",
    ),
    "a membership is gone": (
        "DELETE FROM memberships",
        "user .*: no membership instead of (not )?red as of ",
    ),
    "a membership is as of another time": (
        "UPDATE memberships SET as_of = as_of - interval '1 second'",
        "user .* instead of ",
    ),
    "a membership is there that no event made": (
        "INSERT INTO memberships SELECT id, true, now(), 'x' FROM users ON CONFLICT DO NOTHING",
        "user .*: red as of .* by x instead of no membership",
    ),
    "an event is gone": ("DELETE FROM webhook_events", "event .*: 0 rows instead of one"),
    "an event is there twice": (
        """INSERT INTO webhook_events (provider, event_id, type, user_id)
        SELECT 'other', event_id, type, user_id FROM webhook_events""",
        "event .*: 2 rows instead of one",
    ),
    "an event is there that was never sent": (
        """INSERT INTO webhook_events (event_id, type, user_id)
        SELECT 'evt_1', type, user_id FROM webhook_events LIMIT 1""",
        "event evt_1: was never sent",
    ),
    "a delivery is counted twice": (
        "UPDATE webhook_events SET deliveries = deliveries + 1",
        "event .*: 4 deliveries counted instead of 3 to 3",
    ),
    "a delivery is not counted": (
        "UPDATE webhook_events SET deliveries = deliveries - 1",
        "event .*: 2 deliveries counted instead of 3 to 3",
    ),
    "an event is of another type": (
        "UPDATE webhook_events SET type = 'x'",
        "event .*: kept as x of .*",
    ),
    "an outcome is another": (
        "UPDATE webhook_events SET outcome = 'ignored'",
        "event .*: kept as ignored, answered (applied|stale), (not )?the last of its user",
    ),
}


@pytest.fixture
def check(app: Flask, server: Server) -> Iterator[Callable[[], list[str]]]:
    """A storm that is over and right; what its check finds."""
    receiver = Receiver(url=f"{server.url}/api/polka/webhooks", api_key=POLKA_KEY, signing_key=None)
    with app.app_context(), crowd("storm-test", 20, keep=False) as user_ids:
        planned = plan("storm-test", user_ids, events=12, repeats=3, shuffle=True, seed=1)
        tallies = Tallies()
        for sent in Round(planned.messages, receiver, attempts=1, concurrency=4).go():
            tallies.count(sent)
        yield lambda: list(differences(user_ids, planned, tallies))


def test_it_finds_nothing_where_nothing_is_wrong(check: Callable[[], list[str]]) -> None:
    assert check() == []


@pytest.mark.parametrize(("statement", "difference"), TAMPERED.values(), ids=TAMPERED)
def test_it_notices_when(
    check: Callable[[], list[str]], sql: Sql, statement: str, difference: str
) -> None:
    sql(statement)

    found = check()

    assert found
    assert [line for line in found if not re.match(difference, line)] == []


def test_it_notices_a_receiver_that_forgets(storm: Storm, sql: Sql) -> None:
    sql("CREATE FUNCTION forget() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'")
    sql("CREATE TRIGGER forget BEFORE INSERT ON memberships FOR ROW EXECUTE FUNCTION forget()")
    try:
        result = storm()
    finally:
        sql("DROP FUNCTION forget CASCADE")

    *_, headline = (line for line in result.stdout.splitlines() if line.startswith("differences"))
    assert result.exit_code == 1
    assert int(headline.split()[1]) > 10
    assert len(re.findall("^  (event|user) ", result.stdout, re.MULTILINE)) == 10
    assert NOTHING_LOST not in result.stdout


def test_what_is_not_acknowledged_is_not_taken_for_right(storm: Storm, sql: Sql) -> None:
    result = storm("--key=another", "--attempts=1")

    assert result.exit_code == 1
    assert told(result, "acknowledged").startswith("0 of 180 ")
    assert " 401 Authentication failed" in told(result, "failures")
    assert "180 deliveries were not acknowledged, so the database was not checked" in result.stdout
    assert sql("TABLE users") == []


def test_without_a_database_it_names_the_next_step() -> None:
    url = URL.create(DRIVER, host="127.0.0.1", port=a_free_port(), database="x")
    result = create_app(a_settings(url)).test_cli_runner().invoke(polka, ["storm"])

    assert result.exit_code == 1
    assert "Next: start Postgres" in result.stderr


# While the machinery dies


@pytest.fixture
def trouble(
    mortal_postgres: PrivatePostgres, mortal_server: Server, monkeypatch: pytest.MonkeyPatch
) -> list[int]:
    """The worst that may happen, between two deliveries of a storm while others are on their way.

    Lists each attempt's number at which something did.
    """
    happened: list[int] = []
    wait_until(lambda: len(mortal_server.workers) == 2)  # the last storm killed one
    worker = mortal_server.workers[0]

    def count(tallies: Tallies, sent: Sent) -> None:
        counted(tallies, sent)
        attempts = tallies.outcomes.total() + tallies.failures.total()
        if attempts == 30:
            os.kill(worker, signal.SIGKILL)
            happened.append(attempts)
        if attempts == 100:
            crash(mortal_postgres)
            mortal_postgres.ensure_running()
            happened.append(attempts)

    counted = Tallies.count
    monkeypatch.setattr(Tallies, "count", count)
    return happened


@pytest.mark.parametrize("run", range(5))
def test_nothing_is_lost_while_a_worker_is_killed_and_postgres_crashes(
    mortal_postgres: PrivatePostgres, mortal_server: Server, trouble: list[int], run: int
) -> None:
    with an_app(make_url(mortal_postgres.url).set(drivername=DRIVER)) as app:
        result = blow(app, mortal_server.url, "--users=30", "--events=200", "--repeats=3")

    assert trouble == [30, 100]
    assert result.stdout.splitlines()[-1] == NOTHING_LOST, result.output
    assert result.exit_code == 0
    assert told(result, "failures") != "none"  # it was felt; by whom is a matter of moments
