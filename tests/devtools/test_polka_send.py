"""What whoever plays the provider may rely on: `flask polka send` does and shows what it says."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from threading import Barrier, Thread
from typing import Any

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import URL

from chirpy.devtools.polka import delivery
from chirpy.devtools.polka.commands import polka
from chirpy.devtools.polka.delivery import LONGEST_WAIT, STRETCH, wait_after
from chirpy.devtools.polka.receiver import Attempt
from chirpy.settings import signing_key
from tests.support.databases import Sql, an_app
from tests.support.factories import a_user, an_event, an_id
from tests.support.server import PROJECT, Server, a_free_port, a_server, run

FIRST, SECOND = ("whsec_" + letter * 32 for letter in "ab")
NOON = "2026-01-31T12:00:00+00:00"

Send = Callable[..., Result]


@pytest.fixture(scope="module")
def signature_server(database_url: URL) -> Iterator[Server]:
    """A server that wants signatures made with FIRST."""
    with a_server(database_url, POLKA_WEBHOOK_SECRETS=FIRST) as server:
        yield server


@pytest.fixture
def send(app: Flask) -> Send:
    """Deliver events: `send("user.upgraded", user_id, to=server.url)`."""
    return sender(app)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits a tenth as long, for tests that ask whether it waits and not how long."""
    monkeypatch.setattr(delivery, "FIRST_WAIT", delivery.FIRST_WAIT / 10)


@pytest.fixture
def send_signed(database_url: URL, emptied: None) -> Iterator[Send]:
    """The same, with secrets to sign with."""
    keys = (signing_key(FIRST), signing_key(SECOND))
    with an_app(database_url, polka_webhook_secrets=keys) as app:
        yield sender(app)


def sender(app: Flask) -> Send:
    def send(*arguments: object, to: str) -> Result:
        where = f"--to={to}/api/polka/webhooks"
        return app.test_cli_runner().invoke(polka, ["send", *map(str, arguments), where])

    return send


class Receiver(ThreadingHTTPServer):
    """Answers with one `(status, headers)` after the other; keeps what came, and when."""

    def __init__(self, *answers: tuple[int, dict[str, str]], port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), Receiving)
        self.answers = list(answers)
        self.bodies: list[Any] = []
        self.heads: list[Any] = []
        self.times: list[float] = []
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.meeting = Barrier(1)


class Receiving(BaseHTTPRequestHandler):
    """One connection to the Receiver."""

    server: Receiver
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.server.times.append(time.monotonic())
        self.server.heads.append(self.headers)
        self.server.bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        status, headers = self.server.answers.pop(0)
        self.server.meeting.wait(10)
        if status:
            self.send_response(status)
            for name, value in {"Content-Length": "0", **headers}.items():
                self.send_header(name, value)
            self.end_headers()
        else:
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


@contextmanager
def receiving(receiver: Receiver) -> Iterator[Receiver]:
    """Let it receive until the end of the block."""
    with receiver:
        thread = Thread(target=receiver.serve_forever, args=(0.01,))
        thread.start()
        yield receiver
        receiver.shutdown()
        thread.join()


@contextmanager
def a_receiver(*statuses: int, **headers: str) -> Iterator[Receiver]:
    """A receiver that gives these answers, 0 for hanging up, each failure with `headers`."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    answers = [(status, {} if status == 204 else named) for status in statuses]
    with receiving(Receiver(*answers)) as receiver:
        yield receiver


def lines(result: Result) -> list[str]:
    """What it printed of each attempt."""
    return result.stdout.splitlines()[1:]


# What is sent


def test_an_event_has_an_id_of_its_own_and_happens_now(
    server: Server, send: Send, sql: Sql
) -> None:
    user_id = a_user(sql)

    results = [send("user.upgraded", user_id, to=server.url) for _ in range(2)]

    assert [result.exit_code for result in results] == [0, 0]
    assert [lines(result) for result in results] == [["delivery 1, attempt 1: 204 applied"]] * 2
    assert sql(
        """SELECT DISTINCT type, user_id, deliveries, occurred_at > now() - interval '10 s'
        FROM webhook_events"""
    ) == [("user.upgraded", str(user_id), 1, True)]
    assert sql("SELECT count(DISTINCT event_id) FROM webhook_events") == [(2,)]


def test_it_says_what_it_sends_where(send: Send) -> None:
    with a_receiver(204) as receiver:
        first = send("user.upgraded", "nobody", to=receiver.url).output.splitlines()[0]

    assert first == f"POST {receiver.url}/api/polka/webhooks {json.dumps(receiver.bodies[0])}"


@pytest.mark.parametrize(
    "options", [["--no-id", "--no-timestamp"], ["--id", "", "--timestamp", ""]], ids=str
)
def test_without_id_and_time_it_is_the_course_s_form(send: Send, options: list[str]) -> None:
    with a_receiver(204) as receiver:
        send("user.downgraded", "nobody", *options, to=receiver.url)

    assert receiver.bodies == [an_event("nobody", "user.downgraded")]
    assert "webhook-id" not in receiver.heads[0]


def test_id_and_time_are_sent_as_they_are_given(send: Send) -> None:
    with a_receiver(204) as receiver:
        send("x", "nobody", "--id", "evt 1", "--timestamp", "yesterday", to=receiver.url)

    assert receiver.bodies == [an_event("nobody", "x", id="evt 1", timestamp="yesterday")]


@pytest.mark.parametrize(
    ("setting", "changed"),
    [
        ("data.plan=gold", {"data": {"user_id": "nobody", "plan": "gold"}}),
        ("data.seats=3", {"data": {"user_id": "nobody", "seats": 3}}),
        ('data.seats="3"', {"data": {"user_id": "nobody", "seats": "3"}}),
        ("data.a.b=[null]", {"data": {"user_id": "nobody", "a": {"b": [None]}}}),
        ("data=5", {"data": 5}),
        ("event.name=x", {"event": {"name": "x"}}),
        ("note=NaN", {"note": "NaN"}),
        ("note=", {"note": ""}),
        ("note=a=b", {"note": "a=b"}),
    ],
)
def test_any_place_of_the_event_can_be_set(
    send: Send, setting: str, changed: dict[str, Any]
) -> None:
    with a_receiver(204) as receiver:
        send("x", "nobody", "--id=1", "--no-timestamp", "--set", setting, to=receiver.url)

    assert receiver.bodies == [an_event("nobody", "x", id="1") | changed]


def test_several_places_are_set_in_order(send: Send) -> None:
    with a_receiver(204) as receiver:
        send("x", "y", "--set", "data=5", "--set", "data.a=1", "--set", "b=2", to=receiver.url)

    assert (receiver.bodies[0]["data"], receiver.bodies[0]["b"]) == ({"a": 1}, 2)


# How often, how many at once


def test_the_same_event_is_delivered_several_times(server: Server, send: Send, sql: Sql) -> None:
    result = send("user.upgraded", a_user(sql), "--times", 3, to=server.url)

    assert result.exit_code == 0
    assert lines(result) == [
        "delivery 1, attempt 1: 204 applied",
        "delivery 2, attempt 1: 204 duplicate",
        "delivery 3, attempt 1: 204 duplicate",
    ]
    assert sql("SELECT deliveries FROM webhook_events") == [(3,)]


def test_at_once_they_are_all_under_way_at_the_same_moment(send: Send) -> None:
    with a_receiver(*[204] * 5) as receiver:
        receiver.meeting = Barrier(5)
        result = send("x", "nobody", "--times=5", "--at-once", to=receiver.url)

    assert result.exit_code == 0
    assert [body == receiver.bodies[0] for body in receiver.bodies] == [True] * 5


# What proves that it is Polka's


def test_another_key_is_refused(server: Server, send: Send, sql: Sql) -> None:
    result = send("user.upgraded", a_user(sql), "--key", "another", "--attempts=1", to=server.url)

    assert result.exit_code == 1
    assert lines(result)[0].startswith("delivery 1, attempt 1: 401 Authentication failed")
    assert lines(result)[0].endswith("; given up")


@pytest.mark.parametrize("option", [[], ["--sign"]])
def test_with_secrets_it_is_signed_with_the_first(
    signature_server: Server, send_signed: Send, sql: Sql, option: list[str]
) -> None:
    event_id = an_id()
    result = send_signed(
        "user.upgraded", a_user(sql), "--id", event_id, *option, to=signature_server.url
    )

    assert result.exit_code == 0
    assert sql("SELECT event_id, outcome FROM webhook_events") == [(event_id, "applied")]


def test_it_need_not_be_signed(signature_server: Server, send_signed: Send, sql: Sql) -> None:
    result = send_signed(
        "user.upgraded", a_user(sql), "--no-sign", "--attempts=1", to=signature_server.url
    )

    assert result.exit_code == 1
    assert "attempt 1: 401 " in result.output


def test_each_attempt_is_signed_anew(send_signed: Send) -> None:
    with a_receiver(503, 204, Retry_After="1") as receiver:
        send_signed("x", "nobody", to=receiver.url)

    earlier, later = receiver.heads
    assert earlier["webhook-id"] == later["webhook-id"] == receiver.bodies[0]["id"]
    assert int(earlier["webhook-timestamp"]) < int(later["webhook-timestamp"])
    assert earlier["webhook-signature"] != later["webhook-signature"]


@pytest.mark.parametrize("option", ["--no-id", "--id=a.b", "--id=a b", "--id=é"])
def test_what_a_signature_cannot_speak_of_is_not_sent(send_signed: Send, option: str) -> None:
    result = send_signed("x", "nobody", option, to="http://127.0.0.1:9")

    assert result.exit_code == 2
    assert "Next: --no-sign" in result.output


def test_without_secrets_there_is_nothing_to_sign_with(send: Send) -> None:
    result = send("x", "nobody", "--sign", to="http://127.0.0.1:9")

    assert result.exit_code == 2
    assert "Next: set POLKA_WEBHOOK_SECRETS" in result.output


# What is not acknowledged is sent again


@pytest.mark.parametrize("status", [200, 204, 299])
def test_any_2xx_ends_a_delivery(send: Send, status: int) -> None:
    with a_receiver(status) as receiver:
        result = send("x", "nobody", to=receiver.url)

    assert result.exit_code == 0
    assert len(receiver.bodies) == 1


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("status", [302, 400, 401, 404, 409, 413, 429, 500, 503, 0])
def test_whatever_else_is_retried_with_the_same_bytes(send: Send, status: int) -> None:
    with a_receiver(status, 204, Location="http://127.0.0.1:9/") as receiver:
        result = send("x", "nobody", to=receiver.url)

    assert result.exit_code == 0
    assert receiver.bodies[0] == receiver.bodies[1]
    assert f"attempt 1: {status or 'no answer:'} " in lines(result)[0]
    assert lines(result)[1].startswith("delivery 1, attempt 2: 204")


def test_the_waits_double_and_are_shown(send: Send) -> None:
    with a_receiver(503, 503, 204) as receiver:
        result = send("x", "nobody", to=receiver.url)

    shown = [float(line.rpartition("again in ")[2].split()[0]) for line in lines(result)[:2]]
    waited = [later - earlier for earlier, later in pairwise(receiver.times)]
    for at_least, told, took in zip([0.5, 1], shown, waited, strict=True):
        assert at_least - 0.1 < told < at_least * STRETCH + 0.1
        assert told - 0.1 < took < told + 0.5


def test_retry_after_in_seconds_is_honoured(send: Send) -> None:
    with a_receiver(503, 204, Retry_After="1") as receiver:
        send("x", "nobody", to=receiver.url)

    assert receiver.times[1] - receiver.times[0] >= 1


def test_retry_after_as_a_date_is_honoured(send: Send) -> None:
    moment = format_datetime(datetime.now(UTC) + timedelta(seconds=2), usegmt=True)
    with a_receiver(503, 204, Retry_After=moment) as receiver:
        send("x", "nobody", to=receiver.url)

    assert receiver.times[1] - receiver.times[0] >= 0.8


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    "nonsense", ["-1", "soon", "1.5", "9" * 30, "Sun, 06 Nov 1994 08:49:37 GMT"]
)
def test_any_other_retry_after_changes_nothing(send: Send, nonsense: str) -> None:
    with a_receiver(503, 204, Retry_After=nonsense) as receiver:
        assert send("x", "nobody", to=receiver.url).exit_code == 0

    assert receiver.times[1] - receiver.times[0] < 5


@pytest.mark.parametrize(("nth", "retry_after"), [(1, 3600), (100, 0)])
def test_no_wait_is_longer_than_a_bit_over_a_minute(nth: int, retry_after: float) -> None:
    wait = wait_after(nth, Attempt(503, "", retry_after))

    assert LONGEST_WAIT <= wait <= LONGEST_WAIT * STRETCH


@pytest.mark.usefixtures("quick")
def test_a_receiver_that_is_not_there_yet_is_tried_again(send: Send) -> None:
    port = a_free_port()
    result: list[Result] = []
    sending = Thread(target=lambda: result.append(send("x", "y", to=f"http://127.0.0.1:{port}")))
    sending.start()
    time.sleep(0.1)
    with receiving(Receiver((204, {}), port=port)):
        sending.join()

    assert result[0].exit_code == 0
    assert "attempt 1: no answer: Connection refused; again in " in lines(result[0])[0]


@pytest.mark.usefixtures("quick")
def test_a_delivery_is_given_up_after_so_many_attempts(send: Send) -> None:
    with a_receiver(500, 500) as receiver:
        result = send("x", "nobody", "--attempts=2", to=receiver.url)

    assert result.exit_code == 1
    assert lines(result)[-1] == "delivery 1, attempt 2: 500 Internal Server Error; given up"


def test_one_delivery_given_up_is_a_failure(send: Send) -> None:
    with a_receiver(204, 400, 204) as receiver:
        result = send("x", "nobody", "--times=3", "--attempts=1", to=receiver.url)

    assert result.exit_code == 1
    assert len(receiver.bodies) == 3


def test_error_and_hint_of_a_refusal_are_shown(server: Server, send: Send) -> None:
    nobody = "00000000-0000-4000-8000-000000000000"
    results = [
        send("user.upgraded", nobody, "--attempts=1", to=server.url),
        send("user.upgraded", nobody, "--set=data=5", "--attempts=1", to=server.url),
    ]

    assert lines(results[0]) == [
        "delivery 1, attempt 1: 404 There is no user with this id; given up"
    ]
    assert "attempt 1: 400 data " in lines(results[1])[0]


# What it is told


@pytest.mark.parametrize(
    "options",
    [
        ["--to=ftp://example.com"],
        ["--to=example.com"],
        ["--to=http://"],
        ["--to=http://x:port/"],
        ["--to=http://x/a b"],
        ["--key=a b"],
        ["--key=é"],
        ["--key="],
        ["--set=plan"],
        ["--set==gold"],
        ["--times=0"],
        ["--attempts=0"],
    ],
    ids=str,
)
def test_options_that_make_no_sense_are_refused(app: Flask, options: list[str]) -> None:
    result = app.test_cli_runner().invoke(polka, ["send", "user.upgraded", "nobody", *options])

    assert result.exit_code == 2


def test_by_default_it_sends_to_the_server_with_the_same_settings(server: Server, sql: Sql) -> None:
    command = ("-m", "flask", "polka", "send", "user.upgraded", str(a_user(sql)))
    ended = run(PROJECT, *command, **server.environment)

    assert ended.returncode == 0
    assert ended.stdout.splitlines()[1:] == ["delivery 1, attempt 1: 204 applied"]
