"""Requests whose body has not arrived: run the application first, or refuse them in the end."""

from collections.abc import Callable
from enum import Enum, auto
from threading import Lock
from typing import Any

from chirpy.server.bodies import BodyReceiver, Receive
from chirpy.server.requests import Request
from chirpy.web.awaited_bodies import AWAITED, LATE

PATIENCE = 0.05  # seconds; if the body needs longer, the application runs first without it
BODY_TIMEOUT = 10  # seconds for the whole body


class FirstRun(Enum):
    """The run of the application without the body. ANSWERED: it did not need the body."""

    NONE, RUNNING, ANSWERED, NEEDS_BODY = auto(), auto(), auto(), auto()


class AwaitedRequest:
    """A request until its body has arrived.

    The body of an answered request is received too: an unread one closes the connection, and the
    client's next request is lost. But the connection ends with an answer to a client that
    announces too large a body, or waits for the permission to send it.

    Three threads use this: granian's receives the body, one of the pool makes the first run, and
    that of the event loop looks at the time.
    """

    def __init__(
        self,
        request: Request,
        receive: Receive,
        start: Callable[[Request, Any], None],
        awaited: dict["AwaitedRequest", None],
    ) -> None:
        self.request, self.start, self.awaited = request, start, awaited
        self.receiver = BodyReceiver(receive, request.length, self.arrive)
        self.first_run = FirstRun.NONE
        self.body: Any = None
        self.lock = Lock()
        awaited[self] = None
        if request.must_be_answered_first:
            self.run_first()
        else:
            self.receiver.receive_next()

    def look_at_time(self, now: float) -> None:
        """Start the first run, or end the wait, if it is time. The event loop calls this."""
        age = now - self.request.arrived
        if age > BODY_TIMEOUT:
            self.arrive(LATE)
        elif age > PATIENCE:
            self.run_first()

    def run_first(self) -> None:
        """Run the application without the body, once."""
        with self.lock:
            if self.body is not None or self.first_run is not FirstRun.NONE:
                return
            self.first_run = FirstRun.RUNNING
        self.request.end_first_run = self.end_first_run
        self.start(self.request, AWAITED)

    def end_first_run(self, *, answered: bool) -> None:
        """Continue after the first run; and ignore the end of the second, which is answered."""
        with self.lock:
            self.first_run = FirstRun.ANSWERED if answered else FirstRun.NEEDS_BODY
            body = self.body
        if not answered and body is not None:
            self.start(self.request, body)
        elif body is None and self.request.must_be_answered_first:
            if answered:
                self.arrive(LATE)
            else:
                self.receiver.receive_next()

    def arrive(self, body: Any) -> None:
        """End the wait. Run the application, unless the first run has answered or still runs."""
        with self.lock:
            if self.body is not None:
                return
            self.body = body
            is_needed = self.first_run in {FirstRun.NONE, FirstRun.NEEDS_BODY}
        self.awaited.pop(self, None)
        self.receiver.stop()
        if is_needed:
            self.start(self.request, body)
