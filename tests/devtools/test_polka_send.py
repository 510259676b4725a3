"""Tests of `flask polka send`: what it sends, to whom, and when it sends it again."""

import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import pairwise
from socket import SHUT_RDWR
from threading import Barrier, Thread
from typing import Any

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import URL
from werkzeug import Request, Response

from chirpy.devtools.polka import delivery
from chirpy.devtools.polka.commands import polka
from chirpy.devtools.polka.delivery import LONGEST_WAIT, STRETCH, wait_after
from chirpy.settings import parse_signing_key
from tests.support.databases import Sql, an_app
from tests.support.factories import a_user, an_event, an_id
from tests.support.server import PROJECT, Server, a_server, free_port, run_python
from tests.support.wsgi_server import serve

FIRST, SECOND = ("whsec_" + letter * 32 for letter in "ab")
NOWHERE = "http://127.0.0.1:9"

Send = Callable[..., Result]


@pytest.fixture(scope="module")
def signature_server(database_url: URL) -> Iterator[Server]:
    """A server that requires signatures made with FIRST."""
    with a_server(database_url, POLKA_WEBHOOK_SECRETS=FIRST) as server:
        yield server


@pytest.fixture
def send(app: Flask) -> Send:
    """Run the command: `send("user.upgraded", user_id, to=server.url)`."""
    return sender(app)


@pytest.fixture
def send_signed(database_url: URL, emptied_database: None) -> Iterator[Send]:
    """Run the command with two secrets."""
    keys = (parse_signing_key(FIRST), parse_signing_key(SECOND))
    with an_app(database_url, polka_webhook_secrets=keys) as app:
        yield sender(app)


@pytest.fixture
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make waits a tenth as long, for tests that do not measure them."""
    monkeypatch.setattr(delivery, "FIRST_WAIT", delivery.FIRST_WAIT / 10)


def sender(app: Flask) -> Send:
    def send(*arguments: object, to: str) -> Result:
        url = f"--to={to}/api/polka/webhooks"
        return app.test_cli_runner().invoke(polka, ["send", *map(str, arguments), url])

    return send


class Receiver:
    """A receiver that answers with its statuses in turn, 0 for no answer, and keeps requests."""

    def __init__(self, *statuses: int, **headers: str) -> None:
        self.statuses = list(statuses)
        self.answer_headers = headers
        self.bodies: list[Any] = []
        self.headers: list[Any] = []
        self.times: list[float] = []
        self.meeting = Barrier(1)
        self.url = ""

    def answer(self, request: Request) -> Response:
        self.times.append(time.monotonic())
        self.headers.append(request.headers)
        self.bodies.append(request.get_json())
        status = self.statuses.pop(0)
        self.meeting.wait(10)
        if not status:
            request.environ["werkzeug.socket"].shutdown(SHUT_RDWR)
            raise ConnectionAbortedError
        return Response(status=status, headers={} if status == 204 else self.answer_headers)


@contextmanager
def a_receiver(*statuses: int, port: int = 0, **headers: str) -> Iterator[Receiver]:
    """Serve a Receiver; `headers` are those of failures."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    receiver = Receiver(*statuses, **named)
    with serve(Request.application(receiver.answer), port) as receiver.url:
        yield receiver


def attempts(result: Result) -> list[str]:
    """Return the line of each attempt."""
    return result.stdout.splitlines()[1:]


# The event


def test_send_makes_a_new_id_and_the_current_time(server: Server, send: Send, sql: Sql) -> None:
    user_id = a_user(sql)

    results = [send("user.upgraded", user_id, to=server.url) for _ in range(2)]

    assert [result.exit_code for result in results] == [0, 0]
    assert [attempts(result) for result in results] == [["delivery 1, attempt 1: 204 applied"]] * 2
    assert sql(
        """SELECT DISTINCT type, user_id, deliveries, occurred_at > now() - interval '10 s'
        FROM webhook_events"""
    ) == [("user.upgraded", str(user_id), 1, True)]
    assert sql("SELECT count(DISTINCT event_id) FROM webhook_events") == [(2,)]


def test_send_prints_url_and_body(send: Send) -> None:
    with a_receiver(204) as receiver:
        result = send("user.upgraded", "nobody", to=receiver.url)

    [first, _] = result.output.splitlines()
    assert first == f"POST {receiver.url}/api/polka/webhooks {json.dumps(receiver.bodies[0])}"


@pytest.mark.parametrize(
    "options", [["--no-id", "--no-timestamp"], ["--id", "", "--timestamp", ""]], ids=str
)
def test_send_without_id_and_timestamp_is_the_course_form(send: Send, options: list[str]) -> None:
    with a_receiver(204) as receiver:
        send("user.downgraded", "nobody", *options, to=receiver.url)

    assert receiver.bodies == [an_event("nobody", "user.downgraded")]
    assert "webhook-id" not in receiver.headers[0]


@pytest.mark.parametrize(
    ("settings", "changed"),
    [
        (["data.plan=gold"], {"data": {"user_id": "nobody", "plan": "gold"}}),
        (["data.seats=3"], {"data": {"user_id": "nobody", "seats": 3}}),
        (['data.seats="3"'], {"data": {"user_id": "nobody", "seats": "3"}}),
        (["data.a.b=[null]"], {"data": {"user_id": "nobody", "a": {"b": [None]}}}),
        (["data=5"], {"data": 5}),
        (["event.name=x"], {"event": {"name": "x"}}),
        (["note=NaN"], {"note": "NaN"}),
        (["note="], {"note": ""}),
        (["note=a=b"], {"note": "a=b"}),
        (["data=5", "data.a=1", "b=2"], {"data": {"a": 1}, "b": 2}),
    ],
    ids=str,
)
def test_send_set_changes_any_member(
    send: Send, settings: list[str], changed: dict[str, Any]
) -> None:
    options = [f"--set={setting}" for setting in settings]
    with a_receiver(204) as receiver:
        send("x", "nobody", "--id=evt 1", "--timestamp=yesterday", *options, to=receiver.url)

    assert receiver.bodies == [an_event("nobody", "x", id="evt 1", timestamp="yesterday") | changed]


# Several deliveries


def test_send_times_delivers_the_same_event_again(server: Server, send: Send, sql: Sql) -> None:
    result = send("user.upgraded", a_user(sql), "--times", 3, to=server.url)

    assert result.exit_code == 0
    assert attempts(result) == [
        "delivery 1, attempt 1: 204 applied",
        "delivery 2, attempt 1: 204 duplicate",
        "delivery 3, attempt 1: 204 duplicate",
    ]
    assert sql("SELECT deliveries FROM webhook_events") == [(3,)]


def test_send_concurrent_has_all_deliveries_in_progress_together(send: Send) -> None:
    with a_receiver(*[204] * 5) as receiver:
        receiver.meeting = Barrier(5)
        result = send("x", "nobody", "--times=5", "--concurrent", to=receiver.url)

    assert result.exit_code == 0
    assert [body == receiver.bodies[0] for body in receiver.bodies] == [True] * 5


# Credentials


def test_send_key_replaces_polka_key(server: Server, send: Send, sql: Sql) -> None:
    result = send("user.upgraded", a_user(sql), "--key", "another", "--attempts=1", to=server.url)

    assert result.exit_code == 1
    assert attempts(result)[0].startswith("delivery 1, attempt 1: 401 ")
    assert attempts(result)[0].endswith("; given up")


@pytest.mark.parametrize(
    ("options", "answer"),
    [([], "204 applied"), (["--sign"], "204 applied"), (["--no-sign"], "401")],
)
def test_send_signs_with_the_first_secret(
    signature_server: Server, send_signed: Send, sql: Sql, options: list[str], answer: str
) -> None:
    event = "user.upgraded", a_user(sql), "--id", an_id(), "--attempts=1"

    result = send_signed(*event, *options, to=signature_server.url)

    assert result.exit_code == (answer == "401")
    assert attempts(result)[0].startswith(f"delivery 1, attempt 1: {answer}")


def test_send_signs_each_attempt_again(send_signed: Send) -> None:
    with a_receiver(503, 204, Retry_After="1") as receiver:
        send_signed("x", "nobody", to=receiver.url)

    earlier, later = receiver.headers
    assert earlier["webhook-id"] == later["webhook-id"] == receiver.bodies[0]["id"]
    assert int(earlier["webhook-timestamp"]) < int(later["webhook-timestamp"])
    assert earlier["webhook-signature"] != later["webhook-signature"]


@pytest.mark.parametrize("option", ["--no-id", "--id=a.b", "--id=a b", "--id=é"])
def test_send_refuses_to_sign_an_id_that_no_header_can_carry(
    send_signed: Send, option: str
) -> None:
    result = send_signed("x", "nobody", option, to=NOWHERE)

    assert result.exit_code == 2
    assert "Next: --no-sign" in result.output


def test_send_sign_without_secrets_is_a_usage_error(send: Send) -> None:
    result = send("x", "nobody", "--sign", to=NOWHERE)

    assert result.exit_code == 2
    assert "Next: set POLKA_WEBHOOK_SECRETS" in result.output


# Retries


@pytest.mark.parametrize("status", [200, 204, 299])
def test_send_ends_a_delivery_with_any_2xx(send: Send, status: int) -> None:
    with a_receiver(status) as receiver:
        result = send("x", "nobody", to=receiver.url)

    assert result.exit_code == 0
    assert len(receiver.bodies) == 1


@pytest.mark.usefixtures("short_waits")
@pytest.mark.parametrize("status", [302, 400, 401, 404, 409, 413, 429, 500, 503, 0])
def test_send_retries_any_other_answer_with_the_same_body(send: Send, status: int) -> None:
    with a_receiver(status, 204, Location=NOWHERE) as receiver:
        result = send("x", "nobody", to=receiver.url)

    assert result.exit_code == 0
    assert receiver.bodies[0] == receiver.bodies[1]
    assert f"attempt 1: {status or 'no answer:'} " in attempts(result)[0]
    assert attempts(result)[1].startswith("delivery 1, attempt 2: 204")


def test_send_doubles_its_waits_and_prints_them(send: Send) -> None:
    with a_receiver(503, 503, 204) as receiver:
        result = send("x", "nobody", to=receiver.url)

    printed = [float(line.rpartition("again in ")[2].split()[0]) for line in attempts(result)[:2]]
    waited = [later - earlier for earlier, later in pairwise(receiver.times)]
    for at_least, wait, duration in zip([0.5, 1], printed, waited, strict=True):
        assert at_least - 0.1 < wait < at_least * STRETCH + 0.1
        assert wait - 0.1 < duration < wait + 0.5


@pytest.mark.usefixtures("short_waits")
@pytest.mark.parametrize(
    ("retry_after", "at_least", "at_most"),
    [
        *[("1", 1, 2.5), ("a date", 0.8, 4), ("Sun, 06 Nov 1994 08:49:37 GMT", 0, 1)],
        *[(invalid, 0, 1) for invalid in ("-1", "soon", "1.5", "9" * 30)],
    ],
)
def test_send_waits_as_long_as_a_valid_retry_after(
    send: Send, retry_after: str, at_least: float, at_most: float
) -> None:
    if retry_after == "a date":
        retry_after = format_datetime(datetime.now(UTC) + timedelta(seconds=2), usegmt=True)
    with a_receiver(503, 204, Retry_After=retry_after) as receiver:
        assert send("x", "nobody", to=receiver.url).exit_code == 0

    assert at_least <= receiver.times[1] - receiver.times[0] < at_most


@pytest.mark.parametrize(("number", "retry_after"), [(1, 3600), (100, 0)])
def test_send_never_waits_much_longer_than_a_minute(number: int, retry_after: float) -> None:
    assert LONGEST_WAIT <= wait_after(number, retry_after) <= LONGEST_WAIT * STRETCH


@pytest.mark.usefixtures("short_waits")
def test_send_retries_until_a_receiver_starts(send: Send) -> None:
    port = free_port()
    results: list[Result] = []
    sending = Thread(target=lambda: results.append(send("x", "y", to=f"http://127.0.0.1:{port}")))
    sending.start()
    time.sleep(0.1)
    with a_receiver(204, port=port):
        sending.join()

    assert results[0].exit_code == 0
    assert "attempt 1: no answer: Connection refused; again in " in attempts(results[0])[0]


@pytest.mark.usefixtures("short_waits")
def test_send_gives_up_after_the_last_attempt(send: Send) -> None:
    with a_receiver(500, 500) as receiver:
        result = send("x", "nobody", "--attempts=2", to=receiver.url)

    assert result.exit_code == 1
    assert attempts(result)[-1] == "delivery 1, attempt 2: 500 INTERNAL SERVER ERROR; given up"


def test_send_fails_if_one_of_several_deliveries_fails(send: Send) -> None:
    with a_receiver(204, 400, 204) as receiver:
        result = send("x", "nobody", "--times=3", "--attempts=1", to=receiver.url)

    assert result.exit_code == 1
    assert len(receiver.bodies) == 3


def test_send_prints_the_error_and_the_hint_of_an_answer(server: Server, send: Send) -> None:
    event = "user.upgraded", "00000000-0000-4000-8000-000000000000", "--attempts=1"

    unknown, invalid = (send(*event, *options, to=server.url) for options in ([], ["--set=data=5"]))

    assert re.fullmatch(r"delivery 1, attempt 1: 404 \w.*; given up", attempts(unknown)[0])
    assert re.fullmatch(r"delivery 1, attempt 1: 400 data \w.*; given up", attempts(invalid)[0])


# Options


@pytest.mark.parametrize(
    "option",
    [
        *["--to=ftp://example.com", "--to=example.com", "--to=http://", "--to=http://x:port/"],
        *["--to=http://x/a b", "--key=a b", "--key=é", "--key=", "--set=plan", "--set==gold"],
        *["--times=0", "--attempts=0"],
    ],
)
def test_send_refuses_invalid_options(app: Flask, option: str) -> None:
    result = app.test_cli_runner().invoke(polka, ["send", "user.upgraded", "nobody", option])

    assert result.exit_code == 2


def test_send_uses_the_server_of_its_settings(server: Server, sql: Sql) -> None:
    command = ("-m", "flask", "polka", "send", "user.upgraded", str(a_user(sql)))
    ended = run_python(PROJECT, *command, **server.environment)

    assert ended.returncode == 0
    assert ended.stdout.splitlines()[1:] == ["delivery 1, attempt 1: 204 applied"]
