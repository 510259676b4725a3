"""One request: run the WSGI application on it, and send the response."""

from collections.abc import Callable, Iterable
from time import perf_counter
from typing import Any, Protocol

from chirpy.server.environ import wsgi_environ
from chirpy.web.awaited_bodies import BodyAwaited
from chirpy.web.request_body import BODY_LIMIT, BODY_READ
from chirpy.web.request_log import BEGAN

WSGIApplication = Callable[[dict[str, Any], Any], Iterable[bytes]]
Send = Callable[[dict[str, Any]], object]


class EndFirstRun(Protocol):
    """What is called at the end of a run without the body."""

    def __call__(self, *, answered: bool) -> None: ...


class Request:
    """A request that a thread can answer; `send` of granian may be called in any thread."""

    def __init__(self, scope: dict[str, Any], send: Send) -> None:
        self.arrived = perf_counter()
        self.environ = wsgi_environ(scope)
        self.send = send
        self.end_first_run: EndFirstRun | None = None

    @property
    def length(self) -> int | None:
        """The length of the body in bytes; None if it is not announced."""
        if "HTTP_TRANSFER_ENCODING" in self.environ:
            return None
        return int(self.environ.get("CONTENT_LENGTH") or 0)

    @property
    def must_be_answered_first(self) -> bool:
        """Whether the client waits for permission to send the body, or the body is too large."""
        return "HTTP_EXPECT" in self.environ or (self.length or 0) > BODY_LIMIT

    def run(self, application: WSGIApplication, body: Any) -> None:
        """Send the response of the application. If it awaits the body, call `end_first_run`."""
        status, headers = "", []

        def start_response(*arguments: Any) -> None:
            nonlocal status, headers
            status, headers = arguments[:2]

        environ = self.environ | {"wsgi.input": body, BEGAN: self.arrived, BODY_READ: "server"}
        try:
            content = application(environ, start_response)
            self.respond(int(status[:3]), headers, b"".join(content))
            getattr(content, "close", bool)()
        except BodyAwaited:
            if self.end_first_run:
                self.end_first_run(answered=False)

    def respond(self, status: int, headers: list[tuple[str, str]], content: bytes) -> None:
        """Send a response. The server keeps it until the client has read it."""
        encoded = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
        self.send({"type": "http.response.start", "status": status, "headers": encoded})
        self.send({"type": "http.response.body", "body": content})
        del self.send  # granian closes the connection of an unread body when nothing refers to it
        if self.end_first_run:
            self.end_first_run(answered=True)
