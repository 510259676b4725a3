"""Clients that send or read slowly, or stop: they hold nothing that others need."""

import json
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from time import monotonic

import pytest

from tests.server.test_http import HEALTH, WEBHOOK, chunks, statuses
from tests.support.databases import Sql
from tests.support.factories import API_KEY, a_user, an_event
from tests.support.server import Server, read_all, wait_until

FRAMINGS = ["length", "chunked"]
WRONG_KEY = WEBHOOK.replace(b"ApiKey ", b"ApiKey wrong")
BODY_TIMEOUT = 10  # seconds

pytestmark = pytest.mark.usefixtures("emptied_database")


def halves(framing: str, body: bytes, head: bytes = WEBHOOK) -> tuple[bytes, bytes]:
    """Return a request in two parts: its second part begins within its body."""
    if framing == "chunked":
        request = head + b"Transfer-Encoding: chunked\r\n\r\n" + chunks(body, 20)
    else:
        request = head + b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
    middle = len(request) - len(body) // 2
    return request[:middle], request[middle:]


@pytest.fixture
def half_sent(server: Server) -> Iterator[list[socket.socket]]:
    """200 connections that have sent half of a delivery, with the right key."""
    with ExitStack() as stack:
        clients = [stack.enter_context(server.connect()) for _ in range(200)]
        for number, client in enumerate(clients):
            client.sendall(halves(FRAMINGS[number % 2], b"x" * 100)[0])
        yield clients


def test_half_sent_bodies_delay_no_other_request(
    server: Server, sql: Sql, half_sent: list[socket.socket]
) -> None:
    for _ in range(3):
        begin = monotonic()
        assert server.request("GET", "/api/healthz").status == 200
        assert monotonic() - begin < 0.5
        begin = monotonic()
        event = an_event(a_user(sql))
        assert server.request("POST", "/api/polka/webhooks", event, API_KEY).status == 204
        assert monotonic() - begin < 1


@pytest.mark.parametrize("framing", FRAMINGS)
def test_slow_body_is_stored_whole_and_once(server: Server, sql: Sql, framing: str) -> None:
    event = json.dumps(an_event(a_user(sql))).encode()
    first, second = halves(framing, event)
    with server.connect() as client:
        client.sendall(first)
        client.settimeout(0.3)
        with pytest.raises(TimeoutError):  # no answer yet: the key is right
            client.recv(1)
        assert sql("SELECT * FROM webhook_events") == []
        client.settimeout(None)
        client.sendall(second)

        assert statuses(read_all(client)) == [204]
    assert sql("SELECT body FROM webhook_events") == [(event.decode(),)]


@pytest.mark.parametrize("framing", FRAMINGS)
@pytest.mark.parametrize(
    ("head", "status"),
    [
        (WRONG_KEY, 401),
        (b"POST /api/chirps HTTP/1.1\r\nHost: chirpy\r\n", 401),
        (b"POST /api/nowhere HTTP/1.1\r\nHost: chirpy\r\n", 404),
        (b"PUT /api/healthz HTTP/1.1\r\nHost: chirpy\r\n", 405),
    ],
    ids=["wrong key", "no token", "unknown path", "wrong method"],
)
def test_request_that_needs_no_body_is_answered_before_it(
    server: Server, framing: str, head: bytes, status: int
) -> None:
    first, second = halves(framing, b"x" * 100, head.replace(b"Connection: close\r\n", b""))
    with server.connect() as client:
        client.sendall(first)
        assert statuses(client.recv(65536)) == [status]

        client.sendall(second + HEALTH + b"Connection: close\r\n\r\n")
        assert statuses(read_all(client)) == [200]  # the connection is still usable


@pytest.mark.faults
def test_body_that_does_not_arrive_is_408_and_closes_the_connection(
    server: Server, sql: Sql
) -> None:
    sent = [*(halves(framing, b"x" * 100)[0] for framing in FRAMINGS), HEALTH + b"X-Half:"]
    begin = monotonic()
    with ExitStack() as stack:
        clients = [stack.enter_context(server.connect()) for _ in sent]
        for client, request in zip(clients, sent, strict=True):
            client.sendall(request.replace(b"\r\n", b"\r\nAccept: application/problem+json\r\n", 1))
        *late, without_headers = [read_all(client) for client in clients]

    assert BODY_TIMEOUT - 1 < monotonic() - begin < BODY_TIMEOUT + 2
    for response in late:
        assert statuses(response) == [408]
        assert json.loads(response.partition(b"\r\n\r\n")[2])["status"] == 408
    assert without_headers == b""
    assert sql("SELECT * FROM webhook_events") == []


def test_response_that_is_not_read_holds_no_thread(single_thread_server: Server) -> None:
    # Not below /app/: each would be a visit, counted later, in the middle of another test.
    file = b"GET /static/fonts/figtree.woff2 HTTP/1.1\r\nHost: chirpy\r\n\r\n"
    with ExitStack() as stack:
        for _ in range(20):
            client = stack.enter_context(single_thread_server.connect())
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
            client.sendall(file * 50)

        # Once the buffers of the system are full, nothing more is sent to these clients.
        wait_until(lambda: single_thread_server.request("GET", "/api/readyz").status == 200)
