"""HTTP as the server reads it from connections: framing, limits, and requests in series."""

import json
import re
from contextlib import closing
from http.client import HTTPConnection
from time import sleep

import pytest

from tests.support.bodies import BODY_LIMIT
from tests.support.databases import POLKA_KEY, Sql
from tests.support.factories import PASSWORD, a_user, an_email, an_event
from tests.support.server import TIMEOUT, Server, read_all, wait_until

API_KEY = f"Authorization: ApiKey {POLKA_KEY}\r\n".encode()
WEBHOOK = b"POST /api/polka/webhooks HTTP/1.1\r\nHost: chirpy\r\nConnection: close\r\n" + API_KEY
CHUNKED = WEBHOOK + b"Transfer-Encoding: chunked\r\n\r\n"
HEALTH = b"GET /api/healthz HTTP/1.1\r\nHost: chirpy\r\n"
LENGTH = b"Content-Length: 2\r\n"
AMBIGUOUS = {
    "several hosts": WEBHOOK + LENGTH + b"Host: chirpy\r\n\r\n{}",
    "several webhook-ids": WEBHOOK + LENGTH + b"webhook-id: a\r\nWebhook-Id: a\r\n\r\n{}",
    "a webhook-id that is not ASCII": WEBHOOK
    + LENGTH
    + b"webhook-id: a\r\nwebhook-id: \xe9\r\n\r\n{}",
    "several idempotency keys": HEALTH
    + b"Idempotency-Key: a\r\n" * 2
    + b"Connection: close\r\n\r\n",
    "two codings": WEBHOOK + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
}
WITHOUT_A_VIEW = {
    "path": (b"GET /nowhere HTTP/1.1\r\nHost: chirpy\r\n\r\n", 404),
    "method": (HEALTH.replace(b"GET", b"DELETE") + b"\r\n", 405),
    "size": (WEBHOOK + b"Content-Length: 70000\r\n\r\n", 413),
} | {name: (request, 400) for name, request in AMBIGUOUS.items()}
STATUS_LINE = re.compile(rb"HTTP/1\.1 (\d+)")
INVALID_REQUESTS = {
    "long header": (HEALTH + b"X-Long: " + b"a" * 20_000 + b"\r\n\r\n", 431),
    "many headers": (HEALTH + b"".join(b"X-%d: a\r\n" % n for n in range(1000)) + b"\r\n", 431),
    "long path": (b"GET /api/chirps?%s HTTP/1.1\r\nHost: chirpy\r\n\r\n" % (b"a" * 20_000), 431),
    "two lengths": (WEBHOOK + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}}", 400),
    "negative length": (WEBHOOK + b"Content-Length: -1\r\n\r\n{}", 400),
    "two equal API keys": (WEBHOOK + API_KEY + b"Content-Length: 2\r\n\r\n{}", 401),
    "not HTTP": (b"hello\r\n\r\n", 400),
}

pytestmark = pytest.mark.usefixtures("emptied_database")


def chunks(body: bytes, size: int) -> bytes:
    """Return `body` in the chunked transfer encoding, with chunks of `size` bytes."""
    parts = (body[start : start + size] for start in range(0, len(body), size))
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


def with_length(body: bytes, length: int | None = None) -> bytes:
    return WEBHOOK + b"Content-Length: %d\r\n\r\n%s" % (length or len(body), body)


def statuses(responses: bytes) -> list[int]:
    return [int(status) for status in STATUS_LINE.findall(responses)]


def test_truncated_event_is_not_stored(single_thread_server: Server, sql: Sql) -> None:
    event = json.dumps(an_event(a_user(sql))).encode()
    in_chunks = chunks(event, 30)
    truncated = [
        *(CHUNKED + in_chunks[:end] for end in range(in_chunks.rindex(b"}"))),
        *(with_length(event[:end], len(event)) for end in range(len(event))),
        with_length(event, len(event) + 1),
    ]

    for request in truncated:
        assert statuses(single_thread_server.send(request, close_after=True)) in ([], [400])
    assert single_thread_server.request("GET", "/api/readyz").status == 200
    assert sql("SELECT * FROM webhook_events") == sql("SELECT * FROM memberships") == []

    assert statuses(single_thread_server.send(CHUNKED + in_chunks)) == [204]
    assert sql("SELECT outcome FROM webhook_events") == [("applied",)]


@pytest.mark.parametrize("size", [1, 17, 1000])
def test_chunked_event_is_stored_whole(server: Server, sql: Sql, size: int) -> None:
    event = json.dumps(an_event(a_user(sql))).encode()

    assert statuses(server.send(CHUNKED + chunks(event, size))) == [204]
    assert sql("SELECT body FROM webhook_events") == [(event.decode(),)]


@pytest.mark.parametrize("framing", ["length", "chunked"])
@pytest.mark.parametrize(
    ("size", "status"), [(BODY_LIMIT, 204), (BODY_LIMIT + 1, 413), (10_000_000, 413)]
)
def test_body_above_the_limit_is_413_with_an_error(
    server: Server, sql: Sql, size: int, status: int, framing: str
) -> None:
    event = json.dumps(an_event(a_user(sql))).encode().ljust(size)

    response = server.send(
        with_length(event) if framing == "length" else CHUNKED + chunks(event, 8000)
    )

    assert statuses(response) == [status]
    assert status == 204 or json.loads(response.partition(b"\r\n\r\n")[2])["error"]


@pytest.mark.parametrize(("request_", "status"), INVALID_REQUESTS.values(), ids=INVALID_REQUESTS)
def test_invalid_http_is_a_client_error(server: Server, request_: bytes, status: int) -> None:
    assert statuses(server.send(request_)) == [status]


def test_connection_is_kept_alive_after_success_and_errors(server: Server) -> None:
    user = json.dumps({"email": an_email(), "password": PASSWORD})
    requests = [
        ("POST", "/api/users", user, 201),
        ("PUT", "/api/users", user, 401),  # sent before the body is read
        ("POST", "/api/nowhere", user, 404),
        ("HEAD", "/api/healthz", None, 200),
        ("POST", "/api/login", user, 200),
    ]
    with closing(HTTPConnection("127.0.0.1", server.port, timeout=TIMEOUT)) as connection:
        connection.connect()
        first_socket = connection.sock
        for method, path, body, status in requests:
            connection.request(method, path, body)
            with connection.getresponse() as response:
                response.read()
                assert response.status == status
        assert connection.sock is first_socket


@pytest.mark.parametrize("framing", ["Content-Length: 20", "Transfer-Encoding: chunked"])
@pytest.mark.parametrize("line", ["PUT /api/users", "POST /api/nowhere", "POST /api/healthz"])
def test_body_after_an_early_error_is_skipped(server: Server, line: str, framing: str) -> None:
    body = b"x" * 20 if "Length" in framing else b"14\r\n" + b"x" * 20 + b"\r\n0\r\n\r\n"
    with server.connect() as connection:
        connection.sendall(f"{line} HTTP/1.1\r\nHost: chirpy\r\n{framing}\r\n\r\n".encode())
        sleep(0.05)  # seconds, within which the server responds
        connection.sendall(body + HEALTH + b"Connection: close\r\n\r\n")
        responses = read_all(connection)

    assert statuses(responses)[1:] == [200]


def test_no_transaction_is_open_while_the_server_waits_for_a_body(server: Server, sql: Sql) -> None:
    head = b"POST /api/refresh HTTP/1.1\r\nHost: chirpy\r\nContent-Length: 1\r\n"
    open_transactions = (
        "SELECT query FROM pg_stat_activity"
        " WHERE datname = current_database() AND state = 'idle in transaction'"
    )
    with server.connect() as connection:
        connection.sendall(head + b"Authorization: Bearer " + b"a" * 64 + b"\r\n\r\n")
        sleep(0.2)  # seconds, within which the server looks up the token

        wait_until(lambda: sql(open_transactions) == [])
        connection.sendall(b"x")
        assert statuses(connection.recv(65536)) == [401]


def test_expect_100_continue_is_answered_with_the_error(server: Server) -> None:
    head = b"PUT /api/users HTTP/1.1\r\nHost: chirpy\r\nContent-Length: 20\r\n"
    with server.connect() as connection:
        connection.sendall(head + b"Expect: 100-continue\r\n\r\n")

        assert statuses(connection.recv(65536)) == [401]


@pytest.mark.parametrize("request_", AMBIGUOUS.values(), ids=AMBIGUOUS)
def test_ambiguous_headers_are_400_with_a_hint(server: Server, request_: bytes) -> None:
    response = server.send(request_)

    assert statuses(response) == [400]
    body = json.loads(response.partition(b"\r\n\r\n")[2])
    assert body["error"]
    assert body["hint"].startswith("Send ")


@pytest.mark.parametrize(("request_", "status"), WITHOUT_A_VIEW.values(), ids=WITHOUT_A_VIEW)
def test_errors_without_a_view_are_problem_details_on_request(
    server: Server, request_: bytes, status: int
) -> None:
    first_line, _, rest = request_.partition(b"\r\n")
    accept = b"Accept: application/problem+json, application/json;q=0.9\r\nConnection: close\r\n"

    response = server.send(first_line + b"\r\n" + accept + rest)

    head, _, body = response.lower().partition(b"\r\n\r\n")
    assert {b"content-type: application/problem+json", b"vary: accept"} <= set(head.split(b"\r\n"))
    assert json.loads(body)["status"] == status
    assert json.loads(body)["hint"]


@pytest.mark.parametrize("chunked_first", [True, False])
def test_connection_ends_after_a_request_with_length_and_transfer_encoding(
    server: Server, sql: Sql, chunked_first: bool
) -> None:
    event = json.dumps(an_event(a_user(sql))).encode()
    framing = [b"Transfer-Encoding: chunked\r\n", b"Content-Length: 5\r\n"]
    head = WEBHOOK.replace(b"Connection: close\r\n", b"")
    request = head + b"".join(framing[:: 1 if chunked_first else -1]) + b"\r\n"

    assert len(statuses(server.send(request + chunks(event, 30) + HEALTH + b"\r\n"))) == 1


def test_path_with_two_slashes_is_not_redirected(server: Server) -> None:
    user = {"email": an_email(), "password": PASSWORD}

    assert server.request("POST", "//api/users", user).status == 201
