"""Bytes that are no valid HTTP: an answer or a closed connection, and the server serves on."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from time import monotonic, sleep

import pytest

from tests.server.test_http import CHUNKED, HEALTH, statuses
from tests.support.server import Server, read_all

POST = b"POST /api/validate_chirp HTTP/1.1\r\nHost: chirpy\r\nConnection: close\r\n"
BODY = b'{"body":"x"}'
WITH_LENGTH = b"%sContent-Length: %%s\r\n\r\n%s" % (POST, BODY)
WITH_ENCODING = b"%sTransfer-Encoding: %%s\r\n\r\nc\r\n%s\r\n0\r\n\r\n" % (POST, BODY)
LAST = HEALTH + b"Connection: close\r\n\r\n"

MAX_SECONDS = 12  # the server waits 10 for the head of a request, and 10 for its body

# What the client sends, and the statuses of the answers.
CASES: dict[str, tuple[bytes, list[int]]] = {
    "HTTP/0.9": (b"GET /api/healthz\r\n\r\n", [400]),
    "HTTP/1.2": (b"GET /api/healthz HTTP/1.2\r\n\r\n", [400]),
    "HTTP/2 without TLS": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(9), []),
    "TLS": (bytes.fromhex("16030100a5010000a10303") + bytes(160), [400]),
    "the protocol of Postgres": (bytes.fromhex("0000000804d2162f"), [400]),
    "the protocol of a proxy": (b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n" + LAST, [400]),
    "lines without CR": (LAST.replace(b"\r", b""), [200]),
    "empty lines first": (b"\r\n\r\n" + LAST, [200]),
    "a target with a host": (LAST.replace(b"GET ", b"GET http://chirpy"), [200]),
    "a target of a proxy": (LAST.replace(b"GET /api/healthz", b"CONNECT chirpy:80"), [404]),
    "a target that is a star": (LAST.replace(b"GET /api/healthz", b"OPTIONS *"), [404]),
    "a target that is not UTF-8": (LAST.replace(b"healthz", b"\xff"), [400]),
    "a query that is not UTF-8": (LAST.replace(b"healthz", b"chirps?\xff"), [400]),
    "an invalid host": (LAST.replace(b"Host: chirpy", b"Host: [::1@/ x"), [200]),
    "a header that is not UTF-8": (HEALTH + b"Connection: close\r\nCookie: \xff\r\n\r\n", [200]),
    "a folded header": (HEALTH + b"X: a\r\n b\r\n\r\n", [400]),
    "a header with NUL": (HEALTH + b"X: a\0b\r\n\r\n", [400]),
    "a header without a colon": (HEALTH + b"hello\r\n\r\n", [400]),
    "a space before a colon": (POST + b"Content-Length : 12\r\n\r\n" + BODY, [400]),
    "endless headers": (HEALTH + b"X: a\r\n" * 200_000, [431]),
    "an endless target": (b"GET /" + b"a" * 1_000_000, [431]),
    "an endless method": (b"A" * 1_000_000, [431]),
    **{
        f"the length {length.decode()!r}": (WITH_LENGTH % length, [400])
        for length in (b"", b"+12", b"0xc", b"12, 12", b"1 2", b"9" * 30)
    },
    "the length 2 ** 63": (WITH_LENGTH % b"9223372036854775808", [413]),
    "the length 2 ** 64 - 1": (WITH_LENGTH % b"18446744073709551615", [431]),
    **{
        f"the encoding {encoding.decode()}": (WITH_ENCODING % encoding, [400])
        for encoding in (b"gzip", b"xchunked", b"identity", b"chunked, gzip", b"chunked\r\nX :")
    },
    "chunks with HTTP/1.0": (WITH_ENCODING.replace(b"1.1", b"1.0") % b"chunked", [400]),
    **{
        f"the chunk size {size[:20].decode()!r}": (CHUNKED + size + b"\r\n" + BODY, [400])
        for size in (b"", b"-1", b"zz", b"f" * 17, b"c;" + b"a" * 1_000_000, b"1;" + b"a" * 17_000)
    },
    "extensions of many chunks": (CHUNKED + (b"1;" + b"a" * 99 + b"\r\n{\r\n") * 9000, [400]),
    "a chunk longer than its size": (CHUNKED + b"2\r\n" + BODY, [400]),
    "endless trailers": (CHUNKED + b"1\r\n{\r\n0\r\n" + b"X: y\r\n" * 200_000, [400]),
    "many requests at once": ((HEALTH + b"\r\n") * 99 + LAST, [200] * 100),
    "garbage after a request": (HEALTH + b"\r\n\0\xffgarbage\r\n\r\n", [200, 400]),
}


@pytest.mark.parametrize(("sent", "expected"), CASES.values(), ids=CASES)
def test_bytes_that_are_unusual_http_are_answered_and_the_server_serves_on(
    server: Server, sent: bytes, expected: list[int]
) -> None:
    assert statuses(server.send(sent)) == expected
    assert server.request("GET", "/api/healthz").status == 200


def send_slowly(server: Server, start: bytes, byte: bytes) -> list[int]:
    """Send `start`, then a byte every second until the server closes. Return the statuses."""
    begin = monotonic()
    with server.connect() as connection, ThreadPoolExecutor(1) as pool:
        answer = pool.submit(read_all, connection)
        with suppress(ConnectionError):
            connection.sendall(start)
            while not answer.done():
                sleep(1)
                connection.sendall(byte)
        received = answer.result()
    assert monotonic() - begin < MAX_SECONDS
    return statuses(received)


SLOW = {
    "nothing": (b"", b"", []),
    "empty lines": (b"", b"\n", []),
    "a request line": (b"GET ", b"/", []),
    "a header": (HEALTH + b"X: ", b"a", []),
    "a body": (POST + b"Content-Length: 100\r\n\r\n", b" ", [408]),
    "a chunk": (CHUNKED + b"ff\r\n", b" ", [408]),
    "the size of a chunk": (CHUNKED, b"0", [408]),
    "trailers": (CHUNKED + b"1\r\n{\r\n0\r\nX: ", b"a", [408]),
    "a request after another": (HEALTH + b"\r\nGET ", b"/", [200]),
}


@pytest.mark.faults
def test_one_byte_a_second_ends_within_a_bound(server: Server) -> None:
    with ThreadPoolExecutor(len(SLOW)) as pool:
        ends = {
            name: pool.submit(send_slowly, server, start, byte)
            for name, (start, byte, _) in SLOW.items()
        }

    assert {name: end.result() for name, end in ends.items()} == {
        name: expected for name, (_, _, expected) in SLOW.items()
    }
    assert server.request("GET", "/api/healthz").status == 200
