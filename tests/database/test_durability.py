"""A commit that Chirpy reports is durable, whatever is set for the database or the role."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from io import StringIO
from time import monotonic

import pytest
from flask import Flask
from sqlalchemy import URL, make_url, text
from werkzeug.test import TestResponse

from chirpy.database import deadlines
from chirpy.database.engine import db
from chirpy.devtools.postgres import EmbeddedPostgres
from chirpy.settings.database_url import DRIVER
from tests.support.accounts import sign_up
from tests.support.assertions import assert_error
from tests.support.chirps import post_chirp
from tests.support.databases import DELETE_ALL_ROWS, Sql, an_app, connected
from tests.support.doctor import run_doctor
from tests.support.factories import Person, a_person, an_event
from tests.support.failures import Breakable, assert_unavailable, deliver
from tests.support.server import wait_until

SOURCE = text("SELECT source FROM pg_settings WHERE name = :name")
STANDBY = "ALTER SYSTEM SET synchronous_standby_names = '{}'"
WAITING = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
CANCEL = f"SELECT pg_cancel_backend(pid) FROM ({WAITING}) AS waiting"


@pytest.mark.parametrize(
    ("name", "value", "used"),
    [
        ("synchronous_commit", "off", "on"),
        ("synchronous_commit", "local", "on"),
        ("synchronous_commit", "remote_write", "on"),
        ("synchronous_commit", "on", "on"),
        ("synchronous_commit", "remote_apply", "remote_apply"),
        ("TimeZone", "'Asia/Kathmandu'", "UTC"),
        ("lock_timeout", "0", "2s"),
        ("statement_timeout", "0", "5s"),
        ("default_transaction_isolation", "serializable", "read committed"),
    ],
)
def test_settings_of_the_database_give_way_to_those_of_chirpy(
    breakable: Breakable, name: str, value: str, used: str
) -> None:
    with (
        breakable.altered(name, value),
        an_app(breakable.url) as app,
        app.app_context(),
    ):
        for engine in db.engines.values():
            with engine.connect() as connection:
                assert connection.exec_driver_sql(f"SHOW {name}").scalar_one() == used
                [source] = connection.scalars(SOURCE, {"name": name})
                assert source == "session", "a reload of the configuration would change it"


def commit_waits(url: URL, sql: Sql) -> bool:
    """Return whether a commit waits for a standby, after cancelling that wait."""
    with connected(url) as other, ThreadPoolExecutor(1) as thread:
        commit = thread.submit(other, "SELECT pg_logical_emit_message(true, '', '')")
        wait_until(lambda: commit.done() or sql(WAITING))
        return bool(sql(CANCEL))


@pytest.fixture
def missing_standby(crashable_postgres: EmbeddedPostgres) -> Iterator[tuple[Flask, Person, Sql]]:
    """Provide an application, a user and SQL, on a Postgres that waits for a missing standby."""
    url = make_url(crashable_postgres.url).set(drivername=DRIVER)
    with an_app(url) as app, connected(url) as sql:
        person = a_person(app.test_client())
        sql(STANDBY.format("missing"))
        sql("SELECT pg_reload_conf()")
        try:
            wait_until(lambda: commit_waits(url, sql))
            yield app, person, sql
        finally:
            sql("ALTER SYSTEM RESET synchronous_standby_names")
            sql("SELECT pg_reload_conf()")
            wait_until(lambda: not sql(WAITING))
            sql(DELETE_ALL_ROWS)


@pytest.fixture(params=["delivery", "sign-up", "chirp", "chirp with a key"])
def post(
    request: pytest.FixtureRequest, missing_standby: tuple[Flask, Person, Sql]
) -> Callable[[], TestResponse]:
    """Return a function that sends a request whose commit waits."""
    app, person, _ = missing_standby
    client = app.test_client()
    requests: dict[str, Callable[[], TestResponse]] = {
        "delivery": lambda: deliver(app, an_event(person.id)),
        "sign-up": lambda: sign_up(client, "new@example.com"),
        "chirp": lambda: post_chirp(client, person),
        "chirp with a key": lambda: post_chirp(client, person, key="key"),
    }
    return requests[request.param]


@pytest.mark.faults
@pytest.mark.usefixtures("missing_standby")
def test_doctor_does_not_wait_for_a_missing_standby(crashable_postgres: EmbeddedPostgres) -> None:
    began = monotonic()
    report = run_doctor(make_url(crashable_postgres.url).set(drivername=DRIVER))

    assert monotonic() - began < 10
    assert "durable commits" in report.failed
    assert "SHOW synchronous_standby_names" in report.output


@pytest.mark.faults
def test_commit_that_no_standby_has_is_503_with_a_log_line(
    missing_standby: tuple[Flask, Person, Sql], post: Callable[[], TestResponse], log: StringIO
) -> None:
    _, _, sql = missing_standby

    with ThreadPoolExecutor(1) as thread:
        response = thread.submit(post)
        wait_until(lambda: sql(WAITING))
        sql(CANCEL)
        assert_unavailable(response.result())

    line = json.loads(log.getvalue().splitlines()[0])
    assert "A commit is in doubt. Postgres warned: WARNING: canceling wait" in line["cause"]


@pytest.mark.faults
def test_server_whose_commits_wait_for_a_standby_is_not_ready(
    missing_standby: tuple[Flask, Person, Sql], monkeypatch: pytest.MonkeyPatch
) -> None:
    app, person, _ = missing_standby
    monkeypatch.setattr(deadlines, "LIMIT", 2.2)

    assert app.test_client().get("/api/readyz").status_code == 200
    assert_unavailable(deliver(app, an_event(person.id)))
    answer = assert_error(app.test_client().get("/api/readyz"), 503)
    assert answer["error"] == "Commits wait for a synchronous standby"


@pytest.mark.faults
def test_commit_that_waits_for_a_standby_is_503_and_counts_when_the_standby_is_there(
    missing_standby: tuple[Flask, Person, Sql],
    post: Callable[[], TestResponse],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _, _, sql = missing_standby
    monkeypatch.setattr(deadlines, "LIMIT", 1)
    monkeypatch.setattr(deadlines, "AT_LEAST", 1)

    assert_unavailable(post())

    sql(STANDBY.format(""))
    sql("SELECT pg_reload_conf()")
    wait_until(lambda: not sql(WAITING))
    assert post().status_code in {201, 204, 409}
