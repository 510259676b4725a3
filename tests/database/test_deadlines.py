"""A database that never answers costs a request its deadline; then the connection is closed."""

import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from math import inf
from pathlib import Path
from threading import Event
from time import monotonic, sleep
from typing import Any
from unittest.mock import Mock

import psycopg2
import pytest
from sqlalchemy import URL, text
from werkzeug.test import TestResponse

from chirpy.database import connecting, deadlines, silence
from chirpy.database.deadlines import WAITS_SINCE, within
from chirpy.database.engine import db
from chirpy.database.watched_connections import NoAnswer, WatchedConnection, WatchedCursor
from tests.support.databases import UNREACHABLE, an_app, patch_connect, url_text
from tests.support.failures import OTHERS, Breakable, assert_unavailable
from tests.support.server import wait_until

pytestmark = pytest.mark.faults

LIMIT = 1.0  # seconds, instead of 5.2
PATIENCE = LIMIT + 1
SLEEP = text("SELECT pg_sleep(:seconds)")


@pytest.fixture(autouse=True)
def short_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deadlines, "LIMIT", LIMIT)
    monkeypatch.setattr(deadlines, "AT_LEAST", LIMIT)


@contextmanager
def stopped_backends(breakable: Breakable) -> Iterator[None]:
    """Stop the processes of Postgres behind the connections of the application."""
    pids = [pid for [pid] in breakable.sql(f"SELECT pid {OTHERS}")]
    assert pids
    send_all(pids, signal.SIGSTOP)
    try:
        yield
    finally:
        send_all(pids, signal.SIGCONT)


def send_all(pids: list[int], number: signal.Signals) -> None:
    """Send a signal to processes; some may have been about to end when they were found."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


class Connection(WatchedConnection):
    """A connection that runs a statement in one call."""

    def run(self) -> None:
        self.cursor().execute("SELECT 1")


def connect(url: URL) -> Connection:
    made: Connection = psycopg2.connect(
        url_text(url), connection_factory=Connection, cursor_factory=WatchedCursor
    )
    return made


def is_open(inode: int) -> bool:
    """Return whether any file descriptor of this process is this socket."""
    for link in Path("/proc/self/fd").iterdir():
        with suppress(OSError):  # closed meanwhile
            if str(link.readlink()) == f"socket:[{inode}]":
                return True
    return False


def answered_in_time(send: Callable[[], TestResponse]) -> TestResponse:
    """Return the response, after checking how long it took."""
    start = monotonic()
    response = send()
    assert monotonic() - start < PATIENCE
    return response


def test_silent_database_is_503_and_the_next_request_connects_again(breakable: Breakable) -> None:
    upgrade = breakable.upgrade()
    client = breakable.app.test_client()
    requests: list[Callable[[], TestResponse]] = [
        lambda: breakable.deliver(upgrade),  # one statement that commits itself
        lambda: client.get("/admin/metrics"),  # a session
    ]
    for request in requests * 2:
        for each in requests:
            assert each().status_code < 500
        with stopped_backends(breakable):
            assert_unavailable(answered_in_time(request))
            for each in requests:
                assert answered_in_time(each).status_code < 500


@pytest.mark.parametrize("call", [Connection.commit, Connection.rollback, Connection.run])
def test_overdue_connection_closes_its_file_descriptors(
    breakable: Breakable, call: Callable[[Connection], None]
) -> None:
    connection = connect(breakable.url)
    inode = os.fstat(connection.fileno()).st_ino
    Connection.run(connection)
    assert is_open(inode)

    with stopped_backends(breakable), suppress(psycopg2.OperationalError):
        start = monotonic()
        call(connection)
    assert monotonic() - start < PATIENCE
    assert connection.closed
    assert not is_open(inode)


def test_request_that_used_up_its_time_itself_begins_no_silence(breakable: Breakable) -> None:
    connection = connect(breakable.url)
    connection.on_no_answer = Mock()

    with within(-1), pytest.raises(NoAnswer):
        connection.run()

    assert connection.closed
    connection.on_no_answer.assert_not_called()


def test_deleted_connection_closes_its_file_descriptors(breakable: Breakable) -> None:
    connection = connect(breakable.url)
    inode = os.fstat(connection.fileno()).st_ino
    del connection

    wait_until(lambda: not is_open(inode))  # the watcher may have looked at it


def test_all_statements_of_a_request_share_one_deadline(breakable: Breakable) -> None:
    def sleep_often() -> None:
        for _ in range(3):
            db.session.execute(SLEEP, {"seconds": LIMIT * 0.4})

    with an_app(breakable.url) as app:
        app.before_request(sleep_often)
        assert_unavailable(answered_in_time(lambda: app.test_client().get("/api/healthz")))


def test_time_that_a_request_has_waited_for_its_turn_counts(
    breakable: Breakable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deadlines, "AT_LEAST", 0.1)

    def sleep_once() -> None:
        db.session.execute(SLEEP, {"seconds": LIMIT * 0.6})

    with an_app(breakable.url) as app:
        app.before_request(sleep_once)
        since = {WAITS_SINCE: monotonic() - LIMIT / 2}
        send = app.test_client().get
        assert_unavailable(send("/api/healthz", environ_overrides=since))
        assert send("/api/healthz").status_code == 200


def test_migration_has_no_deadline(breakable: Breakable) -> None:
    with breakable.app.app_context(), within(inf):
        db.session.execute(SLEEP, {"seconds": PATIENCE})


# Connecting


@pytest.fixture
def silent_url() -> Iterator[URL]:
    """A server that accepts connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield UNREACHABLE.set(port=listening.getsockname()[1])


def test_connecting_ends_at_the_deadline_whatever_db_url_says(silent_url: URL) -> None:
    with an_app(silent_url.update_query_string("connect_timeout=2")) as app:
        client = app.test_client()
        assert_unavailable(answered_in_time(lambda: client.get("/api/chirps")))
        assert_unavailable(answered_in_time(lambda: client.get("/admin/metrics")))


def test_new_connection_that_is_silent_is_503(breakable: Breakable) -> None:
    pids: list[int] = []

    def stop_after_connecting(connect: Callable[..., Any], options: dict[str, Any]) -> Any:
        connection = connect(**options)
        pids.append(connection.info.backend_pid)
        os.kill(pids[-1], signal.SIGSTOP)
        return connection

    with an_app(breakable.url) as app:
        with app.app_context():
            for engine in db.engines.values():
                patch_connect(engine, stop_after_connecting)
        client = app.test_client()
        try:
            assert_unavailable(answered_in_time(lambda: client.get("/api/chirps")))
            assert_unavailable(answered_in_time(lambda: client.get("/admin/metrics")))
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGCONT)


def test_requests_during_a_silence_wait_for_its_end_together(
    breakable: Breakable, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (silence, connecting):
        monkeypatch.setattr(module, "QUICK", 0.3)
    silent = Event()
    attempts: list[dict[str, Any]] = []

    def connect_later(connect: Callable[..., Any], options: dict[str, Any]) -> Any:
        attempts.append(options)
        while silent.is_set():
            sleep(0.05)
        return connect(**options)

    with an_app(breakable.url) as app:
        with app.app_context():
            for engine in db.engines.values():
                patch_connect(engine, connect_later)
        silent.set()
        for _ in range(3):
            assert_unavailable(answered_in_time(lambda: app.test_client().get("/api/chirps")))
        assert len(attempts) == 3  # of the first request, to know more, and of the thread
        silent.clear()
        wait_until(lambda: app.test_client().get("/api/chirps").status_code == 200)


def test_connection_that_is_made_too_late_is_closed(breakable: Breakable) -> None:
    made: list[Any] = []

    def connect_late(connect: Callable[..., Any], options: dict[str, Any]) -> Any:
        sleep(2 * LIMIT)
        made.append(connect(**options))
        return made[-1]

    with an_app(breakable.url) as app:
        with app.app_context():
            patch_connect(db.engine, connect_late)
        client = app.test_client()
        assert_unavailable(answered_in_time(lambda: client.get("/admin/metrics")))
        wait_until(lambda: made and made[0].closed)
