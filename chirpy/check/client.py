"""Send requests to one server and nowhere else: no redirect is followed, no proxy is used.

Everything is bounded: the time of each request and of all, their number, the size of an answer.
"""

from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from http.client import HTTPConnection, HTTPException, HTTPMessage, HTTPSConnection
from itertools import count
from socket import SHUT_RDWR, socket
from threading import Timer
from time import monotonic
from typing import NamedTuple
from urllib.parse import urlsplit

from chirpy.check.requests import Request

TIMEOUT = 5.0  # seconds of one request, until the last byte of the answer
CONNECT_TIMEOUT = 2.0  # seconds of these for each address of the host; localhost has two
TOTAL_TIME = 180.0  # seconds of all requests; a hash of a password can take one
MAX_REQUESTS = 1000
MAX_BODY = 2**20  # bytes of an answer
NO_SERVER = "no server listens there (connection refused)"
MAX_TIMEOUTS = 3  # in a row; then no more requests are sent


class NoAnswer(Exception):
    """No complete HTTP answer came. The text says why."""


class Response(NamedTuple):
    """An answer as it came."""

    status: int
    headers: HTTPMessage
    body: bytes


class Client:
    """A client of the server at `url`: `http://host:port` or https, perhaps with a path."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        parts = urlsplit(self.url)
        self.connection_class = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        self.address = parts.hostname or "", parts.port
        self.started, self.numbers, self.timeouts = 0.0, count(1), 0

    def send(self, request: Request) -> Response:
        """Return the answer. Raise NoAnswer if none comes, or if a limit is reached."""
        self.check_limits()
        started = monotonic()
        try:
            response = self.exchange(request)
        except (NoAnswer, OSError, HTTPException, ValueError) as error:
            if isinstance(error, TimeoutError) or monotonic() - started >= TIMEOUT:
                self.timeouts += 1
                raise NoAnswer(f"no whole answer within {TIMEOUT:g} seconds") from None
            raise NoAnswer(explain(error)) from None
        self.timeouts = 0
        return response

    def check_limits(self) -> None:
        """Raise NoAnswer if too much time or too many requests have been used."""
        self.started = self.started or monotonic()
        if self.timeouts >= MAX_TIMEOUTS:
            raise NoAnswer(f"not sent: the last {MAX_TIMEOUTS} requests got no answer in time")
        if monotonic() - self.started > TOTAL_TIME:
            raise NoAnswer(f"not sent: the checks have used their {TOTAL_TIME:g} seconds")
        if next(self.numbers) > MAX_REQUESTS:
            raise NoAnswer(f"not sent: the checks have used their {MAX_REQUESTS} requests")

    def exchange(self, request: Request) -> Response:
        """Send the request on a new connection and read the answer."""
        host, port = self.address
        with closing(self.connection_class(host, port, timeout=CONNECT_TIMEOUT)) as connection:
            connection.connect()
            connection.sock.settimeout(TIMEOUT)
            with shut_down_after(TIMEOUT, connection.sock):
                connection.request(request.method, request.target, request.body, request.headers)
                with connection.getresponse() as response:
                    body = response.read(MAX_BODY + 1)
                    if len(body) > MAX_BODY:
                        raise NoAnswer(f"the answer is longer than {MAX_BODY} bytes")
                    if response.length:
                        raise NoAnswer("the answer ends before its Content-Length")
                    return Response(response.status, response.headers, body)


@contextmanager
def shut_down_after(seconds: float, connection: socket) -> Iterator[None]:
    """Shut the connection down when the time is over, also if the server sends byte by byte."""

    def shut_down() -> None:
        with suppress(OSError, ValueError):
            connection.shutdown(SHUT_RDWR)

    timer = Timer(seconds, shut_down)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def explain(error: Exception) -> str:
    """Say in plain words why no answer came."""
    if isinstance(error, ConnectionRefusedError):
        return NO_SERVER
    if isinstance(error, ConnectionError):  # RemoteDisconnected is one
        return "the server closed the connection without a whole answer"
    if isinstance(error, HTTPException):
        return f"the answer is not valid HTTP ({type(error).__name__} {error})"
    return f"{error or type(error).__name__}"
