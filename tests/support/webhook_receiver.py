"""Serve a receiver of webhooks that answers as a test says."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from socket import SHUT_RDWR
from threading import Barrier
from typing import Any

from werkzeug import Request, Response

from tests.support.wsgi_server import serve


class Receiver:
    """A receiver that answers with its statuses in turn, 0 for no answer, and keeps requests."""

    def __init__(self, statuses: tuple[int, ...], headers: dict[str, str]) -> None:
        self.statuses, self.answer_headers = list(statuses), headers
        self.bodies, self.headers, self.times = list[Any](), list[Any](), list[float]()
        self.meeting, self.url = Barrier(1), ""

    def answer(self, request: Request) -> Response:
        self.times.append(time.monotonic())
        self.headers.append(request.headers)
        self.bodies.append(request.get_json())
        status = self.statuses.pop(0)
        self.meeting.wait(10)
        if not status:
            request.environ["werkzeug.socket"].shutdown(SHUT_RDWR)
            raise ConnectionAbortedError
        return Response(status=status, headers={} if status == 204 else self.answer_headers)


@contextmanager
def a_receiver(*statuses: int, **headers: str) -> Iterator[Receiver]:
    """Serve a Receiver; `headers` are those of failures."""
    receiver = Receiver(statuses, {name.replace("_", "-"): text for name, text in headers.items()})
    with serve(Request.application(receiver.answer)) as receiver.url:
        yield receiver
