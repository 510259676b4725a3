"""Tests of `flask polka send`: what it sends, to whom, and when it sends it again."""

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import partial
from itertools import pairwise
from threading import Barrier

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import URL

from chirpy.devtools.polka import delivery
from chirpy.devtools.polka.commands import polka
from chirpy.devtools.polka.delivery import LONGEST_WAIT, wait_after
from chirpy.devtools.polka.receiver import Receiver
from chirpy.settings.parsers import parse_signing_key
from tests.support.databases import Sql, an_app
from tests.support.factories import a_user, an_event
from tests.support.server import Server, a_server, free_port
from tests.support.webhook_receiver import a_receiver

FIRST, SECOND = ("whsec_" + letter * 32 for letter in "ab")
NOWHERE = "http://127.0.0.1:9"

Send = Callable[..., Result]


@pytest.fixture
def send(app: Flask) -> Send:
    """Run the command: `send("user.upgraded", user_id, to=server.url)`."""
    return partial(run_send, app)


@pytest.fixture
def send_signed(database_url: URL, emptied_database: None) -> Iterator[Send]:
    """Run the command with two secrets."""
    keys = (parse_signing_key(FIRST), parse_signing_key(SECOND))
    with an_app(database_url, polka_webhook_secrets=keys) as app:
        yield partial(run_send, app)


@pytest.fixture
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make waits a tenth as long, for tests that do not measure them."""
    monkeypatch.setattr(delivery, "FIRST_WAIT", delivery.FIRST_WAIT / 10)


def run_send(app: Flask, *arguments: object, to: str) -> Result:
    url = f"--to={to}/api/polka/webhooks"
    return app.test_cli_runner().invoke(polka, ["send", *map(str, arguments), url])


def attempts(result: Result) -> list[str]:
    """Return the line of each attempt."""
    return result.stdout.splitlines()[1:]


# The event


def test_send_makes_a_new_id_and_the_current_time(server: Server, send: Send, sql: Sql) -> None:
    user_id = a_user(sql)

    results = [send("user.upgraded", user_id, to=server.url) for _ in range(2)]

    assert [(result.exit_code, result.stderr) for result in results] == [(0, "")] * 2
    assert [attempts(result) for result in results] == [["delivery 1, attempt 1: 204 applied"]] * 2
    assert sql(
        """SELECT count(DISTINCT event_id), min(type), min(user_id::text), sum(deliveries),
        min(occurred_at) > now() - interval '10 s' FROM webhook_events"""
    ) == [(2, "user.upgraded", str(user_id), 2, True)]


def test_send_without_id_and_timestamp_is_the_course_form(send: Send) -> None:
    with a_receiver(204) as receiver:
        result = send("user.downgraded", "nobody", "--no-id", "--no-timestamp", to=receiver.url)

    assert receiver.bodies == [an_event("nobody", "user.downgraded")]
    assert "webhook-id" not in receiver.headers[0]
    sent = json.dumps(receiver.bodies[0])
    assert result.stdout.splitlines()[0] == f"POST {receiver.url}/api/polka/webhooks {sent}"


def test_send_options_change_each_part_of_the_event(send: Send) -> None:
    options = "--id=evt 1", "--timestamp=yesterday", '--data={"user_id": 5, "plan": ["gold"]}'
    with a_receiver(204) as receiver:
        result = send("x", "nobody", *options, to=receiver.url)

    warning = "Warning: unknown event; Chirpy knows user.downgraded and user.upgraded\n"
    assert (result.exit_code, result.stderr) == (0, warning)
    [event] = receiver.bodies
    assert event.pop("data") == {"user_id": 5, "plan": ["gold"]}
    assert event == {"id": "evt 1", "timestamp": "yesterday", "event": "x"}


# Several deliveries


def test_send_times_delivers_the_same_event_again(server: Server, send: Send, sql: Sql) -> None:
    result = send("user.upgraded", a_user(sql), "--times", 3, to=server.url)

    assert result.exit_code == 0
    outcomes = ["applied", "duplicate", "duplicate"]
    assert attempts(result) == [
        f"delivery {number}, attempt 1: 204 {outcome}" for number, outcome in enumerate(outcomes, 1)
    ]
    assert sql("SELECT deliveries FROM webhook_events") == [(3,)]


def test_send_concurrent_has_all_deliveries_in_progress_together(send: Send) -> None:
    with a_receiver(*[204] * 5) as receiver:
        receiver.meeting = Barrier(5)
        result = send("x", "nobody", "--times=5", "--concurrent", to=receiver.url)

    assert result.exit_code == 0
    assert [body == receiver.bodies[0] for body in receiver.bodies] == [True] * 5


# Credentials


def test_send_signs_with_the_first_secret_unless_no_sign(
    database_url: URL, send_signed: Send, sql: Sql
) -> None:
    event = "user.upgraded", a_user(sql), "--attempts=1"
    with a_server(database_url, POLKA_WEBHOOK_SECRETS=FIRST) as server:
        signed, unsigned = (send_signed(*event, *no, to=server.url) for no in ([], ["--no-sign"]))

    assert attempts(signed) == ["delivery 1, attempt 1: 204 applied"]
    assert attempts(unsigned)[0].startswith("delivery 1, attempt 1: 401 ")
    assert (signed.exit_code, unsigned.exit_code) == (0, 1)


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


# Retries


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
        assert at_least - 0.1 < wait < at_least * 1.25 + 0.1
        assert wait - 0.1 < duration < wait + 0.5


@pytest.mark.usefixtures("short_waits")
@pytest.mark.parametrize(
    ("retry_after", "at_least", "at_most"),
    [
        *[("1", 1, 2.5), ("a date", 0.8, 4), ("Sun, 06 Nov 1994 08:49:37 GMT", 0, 1)],
        *[(invalid, 0, 1) for invalid in ("-1", "soon", "1.5")],
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


@pytest.mark.parametrize(("number", "retry_after"), [(1, 3600), (1, float("inf")), (100, 0)])
def test_send_never_waits_much_longer_than_a_minute(number: int, retry_after: float) -> None:
    assert LONGEST_WAIT <= wait_after(number, retry_after) <= LONGEST_WAIT * 1.25


@pytest.mark.parametrize("command", ["send x nobody", "storm --concurrency=2"])
def test_first_connection_that_is_refused_ends_send_and_storm(
    database_url: URL, emptied_database: None, sql: Sql, command: str
) -> None:
    with an_app(database_url, port=(port := free_port())) as app:
        result = app.test_cli_runner().invoke(polka, command.split())

    assert result.exit_code == 1
    problem = f"No server at http://127.0.0.1:{port}/api/polka/webhooks: Connection refused. "
    assert problem + "Next: start it (make run), or correct PORT or --to" in result.stderr
    assert "again in" not in result.stdout
    assert sql("TABLE users") == []


def test_later_connection_that_is_refused_is_an_answer_to_retry() -> None:
    with a_receiver(503) as crashed:
        receiver = Receiver(crashed.url)
        receiver.send(b"{}")

    assert "Connection refused" in str(receiver.send(b"{}"))


@pytest.mark.usefixtures("short_waits")
def test_send_ends_a_delivery_with_any_2xx_and_fails_if_it_gives_up_another(send: Send) -> None:
    with a_receiver(299, 500, 500, 200) as receiver:
        result = send("x", "nobody", "--times=3", "--attempts=2", to=receiver.url)

    assert result.exit_code == 1
    assert attempts(result)[2] == "delivery 2, attempt 2: 500 INTERNAL SERVER ERROR; given up"
    assert attempts(result)[3] == "delivery 3, attempt 1: 200 OK"


def test_send_prints_the_error_and_the_hint_of_an_answer(server: Server, send: Send) -> None:
    event = "user.upgraded", "00000000-0000-4000-8000-000000000000", "--attempts=1"

    unknown, invalid = (send(*event, *options, to=server.url) for options in ([], ["--data=5"]))

    assert re.fullmatch(r"delivery 1, attempt 1: 404 \w.*; given up", attempts(unknown)[0])
    assert re.fullmatch(r"delivery 1, attempt 1: 400 `data` \w.*; given up", attempts(invalid)[0])


def test_send_escapes_control_characters_of_an_answer(send: Send) -> None:
    with a_receiver(500, Webhook_Outcome="\x1b[2J") as receiver:
        result = send("x", "nobody", "--attempts=1", to=receiver.url)

    assert attempts(result) == [r"delivery 1, attempt 1: 500 \u001b[2J; given up"]


# Options


@pytest.mark.parametrize(
    ("option", "status", "problem"),
    [
        ("--to=example.com", 1, "unknown url type"),
        ("--to=http://x:port/", 1, "nonnumeric port"),
        ("--to=ftp://example.com", 1, "unknown url type: ftp; given up"),
        ("--key=a\nb", 1, "Invalid header value"),
        ("--data=plan", 2, "Invalid value for '--data'"),
        ("--times=0", 2, "Invalid value for '--times'"),
    ],
)
def test_send_refuses_invalid_options(app: Flask, option: str, status: int, problem: str) -> None:
    event = "send", "user.upgraded", "nobody", "--attempts=1"
    result = app.test_cli_runner().invoke(polka, [*event, option])

    assert result.exit_code == status
    assert problem in result.output
