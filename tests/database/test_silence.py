"""A slow or refused statement does not count as a silence. tests/faults has real silences."""

import socket
from collections.abc import Callable, Iterator
from time import monotonic, sleep
from typing import Any

import psycopg2
import pytest
from flask import Flask
from sqlalchemy import text
from werkzeug.test import TestResponse

from chirpy.database.engine import db
from chirpy.database.silence_detector import SILENT, SUSPICIOUS
from chirpy.database.watcher import CHECK
from tests.support.databases import an_app, patch_connect
from tests.support.failures import Breakable, assert_unavailable
from tests.support.server import wait_until

pytestmark = pytest.mark.faults

LONG = 2 * (SUSPICIOUS + SILENT) * CHECK  # seconds; twice a silence


@pytest.fixture
def slow_app(breakable: Breakable, caplog: pytest.LogCaptureFixture) -> Iterator[Flask]:
    """An application whose requests wait for a statement for LONG. It notices no silence."""

    def wait() -> None:
        db.session.execute(text("SELECT pg_sleep(:seconds)"), {"seconds": LONG})

    with an_app(breakable.url) as app:
        app.before_request(wait)
        yield app
    assert not [line for line in caplog.get_records("call") if "silent" in line.message]


def get(app: Flask) -> TestResponse:
    return app.test_client().get("/admin/metrics")


def test_slow_statement_is_no_silence(slow_app: Flask) -> None:
    assert get(slow_app).status_code == 200


def test_slow_statement_is_no_silence_if_new_connections_are_refused(slow_app: Flask) -> None:
    attempts: list[dict[str, Any]] = []

    def connect_once(connect: Callable[..., Any], options: dict[str, Any]) -> Any:
        attempts.append(options)
        if len(attempts) == 1:
            return connect(**options)
        raise psycopg2.OperationalError("FATAL:  sorry, too many clients already")

    with slow_app.app_context():
        patch_connect(db.engine, connect_once)
    assert get(slow_app).status_code == 200
    assert len(attempts) > 1


def test_requests_succeed_if_each_connection_takes_long(breakable: Breakable) -> None:
    def connect_slowly(connect: Callable[..., Any], options: dict[str, Any]) -> Any:
        sleep(LONG)
        return connect(**options)

    with an_app(breakable.url) as app:
        with app.app_context():
            patch_connect(db.engine, connect_slowly)
        assert_unavailable(get(app))  # nobody can know yet
        sleep(LONG)

        assert get(app).status_code == 200


def test_silent_host_is_passed_over_while_requests_are_refused(breakable: Breakable) -> None:
    query = breakable.url.query
    with socket.create_server(("127.0.0.1", 0)) as silent:
        hosts = {
            "host": f"127.0.0.1,{query['host']}",
            "port": f"{silent.getsockname()[1]},{query['port']}",
        }
        with an_app(breakable.url.update_query_dict(hosts)) as app:
            begin = monotonic()
            assert_unavailable(get(app))
            assert monotonic() - begin < 1
            wait_until(lambda: get(app).status_code == 200)
            assert monotonic() - begin < 6  # connect_timeout is 2
