"""The log has one line for each request: in development for all, in production for failed ones."""

import json
import logging
import re
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import URL

from chirpy.web.log_formatters import TextFormatter, is_no_request
from tests.support.databases import Sql, an_app
from tests.support.server import Server, wait_until

REQUESTS = [
    ("GET", "/api/healthz", 200),
    ("HEAD", "/app/", 200),
    ("GET", "/api/chirps/1", 400),
    ("POST", "/api/refresh", 401),
    ("PUT", "/api/healthz", 405),
]


@pytest.fixture(autouse=True)
def _info() -> Iterator[None]:
    """Log as `logs.configure` lets the server log."""
    logging.getLogger("chirpy").setLevel(logging.INFO)
    yield
    logging.getLogger("chirpy").setLevel(logging.NOTSET)


def lines(log: StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.getvalue().splitlines()]


@pytest.mark.parametrize(
    ("settings", "every"),
    [
        ({"platform": "dev"}, True),
        ({"platform": "dev", "log_requests": "0"}, False),
        ({"platform": "prod"}, False),
        ({"platform": "prod", "log_requests": "1"}, True),
    ],
    ids=str,
)
def test_each_request_or_each_failed_one_is_one_line(
    database_url: URL, sql: Sql, log: StringIO, settings: dict[str, Any], every: bool
) -> None:
    with an_app(database_url, **settings) as app:
        for method, path, _ in REQUESTS:
            app.test_client().open(path, method=method, headers={"X-Request-Id": "me"}).close()

    logged = [(line["method"], line["path"], line["status"]) for line in lines(log)]
    assert logged == [request for request in REQUESTS if every or request[2] >= 400]
    for line in lines(log):
        assert line["request_id"] == "me"
        assert 0 < line["milliseconds"] < 10_000
        assert line["level"] == ("WARNING" if line["status"] >= 400 else "INFO")


@pytest.mark.parametrize(("log_requests", "logged"), [("", [404]), ("1", [200, 404]), ("0", [404])])
def test_what_a_page_repeats_by_itself_is_logged_if_settings_want_it_or_it_failed(
    database_url: URL, sql: Sql, log: StringIO, log_requests: str, logged: list[int]
) -> None:
    with an_app(database_url, log_requests=log_requests) as app:
        for path in ("/api/chirps", "/api/nowhere"):
            app.test_client().get(path, headers={"Chirpy-Poll": "1"})

    assert [line["status"] for line in lines(log)] == logged


def test_text_line_has_no_secret_and_no_control_character(client: FlaskClient) -> None:
    handler = logging.StreamHandler(stream := StringIO())
    handler.setFormatter(TextFormatter("%(levelname)s %(message)s"))
    logging.getLogger().addHandler(handler)
    headers = {"Authorization": "Bearer s3cr3t", "X-Request-Id": "me"}

    client.get("/%1b[31m%0aERROR%c2%9b%ff?token=s3cr3t", headers=headers)
    client.open("/", method="\x1bGET\n")
    logging.getLogger().removeHandler(handler)

    line, other = stream.getvalue().splitlines()
    path = "/%1B%5B31m%0AERROR%C2%9B%EF%BF%BD"
    assert re.fullmatch(
        rf"WARNING GET {path} 404 [0-9.]+ ms  reason=Not found  request_id=me", line
    )
    assert "%1BGET%0A / 405" in other


def test_text_line_keeps_line_breaks_of_tracebacks_and_escapes_other_control_characters() -> None:
    facts = {"cause": "\x9b2J", "traceback": "one\n two"}
    record = logging.makeLogRecord({"msg": "\x1b[31m%s", "args": "\u202e", "facts": facts})

    line = TextFormatter("%(message)s").format(record)

    assert line == r"\u001b[31m\u202e  cause=\u009b2J  traceback=one" + "\n two"


def test_server_logs_a_request_once_as_json(server: Server) -> None:
    server.request("GET", "/api/nowhere", headers={"X-Request-Id": "only-once"})

    wait_until(lambda: "only-once" in server.log)
    [line] = [line for line in server.log.splitlines() if "only-once" in line]
    assert json.loads(line)["status"] == 404


@pytest.mark.parametrize(
    ("message", "kept"),
    [('127.0.0.1 - - [27/Nov/2026] "GET / HTTP/1.1" 200 -', False), (" * Running on", True)],
)
def test_request_line_of_flask_run_is_dropped(message: str, kept: bool) -> None:
    assert is_no_request(logging.makeLogRecord({"msg": message})) is kept
