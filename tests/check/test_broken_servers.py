"""A server that hangs, closes or answers garbage fails the checks. The judge does not crash."""

import re
import socket
import time
from collections.abc import Callable

import pytest
from click.testing import CliRunner, Result

from chirpy.check import client
from chirpy.check.command import check
from tests.support.raw_server import raw_server
from tests.support.server import free_port


def sends(*parts: bytes, pause: float = 0) -> Callable[[socket.socket], None]:
    """Return a server that sends these parts, then closes."""

    def answer(connection: socket.socket) -> None:
        for part in parts:
            connection.sendall(part)
            time.sleep(pause)

    return answer


def hangs(connection: socket.socket) -> None:
    """Say nothing until the client closes."""
    connection.recv(1)


def ok(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


BYTE_BY_BYTE = sends(
    b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n", *[b"x"] * 50, pause=0.01
)
ENDLESS = sends(b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 2**21)
WITHOUT_ANSWER = {
    "hangs": (hangs, "no whole answer within"),
    "byte by byte": (BYTE_BY_BYTE, "no whole answer within"),
    "closes": (sends(), "the server closed the connection without a whole answer"),
    "no HTTP": (sends(b"SSH-2.0-OpenSSH_9.2\r\n"), "the answer is not valid HTTP"),
    "half a body": (sends(ok(b"x" * 50)[:60]), "the answer ends before its Content-Length"),
    "an endless body": (ENDLESS, "the answer is longer than 1048576 bytes"),
}
GARBAGE = {
    "nothing": b"",
    "null": b"null",
    "deep": b"[" * 100_000,
    "lists": b'{"id": [], "token": {}, "refresh_token": 7, "email": null, "error": [[]]}',
    "rows": b'[{"id": {}, "user_id": []}, {}]',
    "controls": b'{"id": "\\u001b[2J", "token": "a b\\r\\n", "x": "\x1b[31m\xff"}',
    "huge number": b'{"id": 1%s}' % (b"0" * 5000),
}


NEXT = "Next: start the server, or correct the URL"


def judge(url: str, *options: str) -> Result:
    """Judge the server. An exception that the command does not handle fails the test."""
    result = CliRunner().invoke(check, [url, "--yes", *options])
    assert isinstance(result.exception, SystemExit), result.exception
    return result


@pytest.mark.parametrize("options", [(), ("--webhooks",)], ids=["course", "webhooks"])
@pytest.mark.parametrize(("answer", "reason"), WITHOUT_ANSWER.values(), ids=WITHOUT_ANSWER)
def test_server_without_answers_fails_every_check(
    monkeypatch: pytest.MonkeyPatch,
    answer: Callable[[socket.socket], None],
    reason: str,
    options: tuple[str, ...],
) -> None:
    monkeypatch.setattr(client, "TIMEOUT", 0.1)
    with raw_server(answer) as url:
        result = judge(url, *options)

    assert result.exit_code == 1
    assert "\n0 of " in result.output
    assert reason in result.output


@pytest.mark.parametrize("body", GARBAGE.values(), ids=GARBAGE)
def test_server_that_answers_garbage_fails_the_checks(body: bytes) -> None:
    with raw_server(sends(ok(body))) as url:
        result = judge(url, "--strict", "--only", "users,chirps,tokens,webhooks,api")

    assert result.exit_code == 1
    assert not re.search(r"[\x1b\r]|[^\n -\ufffd]", result.output)
    assert int(re.findall(r"^(\d+) of", result.output, re.MULTILINE)[0]) <= 3  # those of any 2xx


def test_judge_follows_no_redirect() -> None:
    requests = list[socket.socket]()
    with raw_server(requests.append) as elsewhere:
        found = b"HTTP/1.1 307 x\r\nLocation: %s/\r\nContent-Length: 0\r\n\r\n" % elsewhere.encode()
        with raw_server(sends(found)) as url:
            judge(url)

    assert requests == []


def test_judge_stops_when_the_server_refuses_the_reset() -> None:
    requests = list[int]()

    def forbid(connection: socket.socket) -> None:
        requests.append(1)
        connection.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")

    with raw_server(forbid) as url:
        result = judge(url)

    assert len(requests) == 1
    assert "Next: start it with PLATFORM=dev" in result.output
    assert result.exit_code == 1


def test_judge_says_that_no_server_listens() -> None:
    result = judge(f"localhost:{free_port()}")

    assert result.exit_code == 1
    assert result.output.endswith(f"\n{client.NO_SERVER}. {NEXT}\n")


def test_judge_sends_a_limited_number_of_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "MAX_REQUESTS", 3)
    with raw_server(sends(ok(b"{}"))) as url:
        assert "not sent: the checks have used their 3 requests" in judge(url).output
    monkeypatch.setattr(client, "TOTAL_TIME", 0)
    with raw_server(sends(ok(b"{}"))) as url:
        assert "not sent: the checks have used their 0 seconds" in judge(url).output
