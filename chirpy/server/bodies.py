"""Receive the body of a request within a limit of size, in granian's thread."""

from collections.abc import Callable
from io import BytesIO
from typing import Any

from chirpy.web.awaited_bodies import TRUNCATED
from chirpy.web.request_body import BODY_LIMIT

Receive = Callable[[], Any]  # returns a future of granian


class BodyReceiver:
    """Calls `arrived` with the body as a stream: whole, or one byte more than the limit.

    The stream raises an exception if the client closed the connection early.
    """

    def __init__(
        self, receive: Receive, length: int | None, arrived: Callable[[Any], None]
    ) -> None:
        self.receive = receive
        self.arrived = arrived
        self.remaining = BODY_LIMIT + 1 if length is None else length
        self.parts: list[bytes] = []
        self.future: Any = None

    def receive_next(self) -> None:
        """Wait for the next part, without a thread."""
        self.future = self.receive()
        self.future.add_done_callback(self)

    def __call__(self, future: Any) -> None:
        """Take a part that has arrived. granian calls this."""
        if future.cancelled():
            return
        message = future.result()
        if message["type"] == "http.disconnect":
            self.arrived(TRUNCATED)
            return
        self.parts.append(message["body"])
        self.remaining -= len(self.parts[-1])
        if self.remaining > 0 and message["more_body"]:
            self.receive_next()
        else:
            self.arrived(BytesIO(b"".join(self.parts)))

    def stop(self) -> None:
        """Refer to the connection no more: granian closes it if the body is not read."""
        if self.future is not None:
            self.future.cancel()
        del self.future, self.receive, self.arrived
