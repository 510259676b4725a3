"""Run the WSGI application behind granian's asynchronous interface, ASGI.

The event loop waits for the clients: for their bodies, and until they have read the responses. A
thread is needed only while the application runs. So a slow client holds a connection and some
memory, and nothing that others need.
"""

import asyncio
from collections.abc import Coroutine
from functools import partial
from io import BytesIO
from typing import Any

from chirpy.server.bodies import Receive, receive_body
from chirpy.server.overload import Overload
from chirpy.server.requests import Request, Send, WSGIApplication
from chirpy.server.threads import ThreadPool
from chirpy.web.awaited_bodies import AWAITED

PATIENCE = 0.05  # seconds; if the body needs longer, the application runs first without it
WITHOUT_THREAD = {"/api/healthz"}  # answered even if no thread is free


class Adapter:
    """An ASGI application that runs a WSGI application in threads.

    granian calls it in a thread of its own (see granian_fixes.py), and runs the coroutine that it
    returns, if any, on the event loop.
    """

    def __init__(self, application: WSGIApplication, threads: int, overload: Overload) -> None:
        self.application = application
        self.pool = ThreadPool(threads)
        self.overload = overload
        self.loop = asyncio.get_event_loop()

    def __call__(
        self, scope: dict[str, Any], receive: Receive, send: Send
    ) -> Coroutine[Any, Any, None] | None:
        """Let a thread answer a request. Return a coroutine if that requires its body."""
        request = Request(scope, send, self.loop)
        if request.length != 0:
            return self.answer_with_body(request, receive)
        self.start(request, BytesIO())
        return None

    def start(self, request: Request, body: Any) -> None:
        """Run the application on a request, in a thread unless it must not wait for one."""
        run = partial(request.run, self.application, body)
        if request.environ["PATH_INFO"] in WITHOUT_THREAD:
            run()
        else:
            self.pool.put(run, partial(self.overload.refuse, request))

    async def answer_with_body(self, request: Request, receive: Receive) -> None:
        """Answer a request when its body has arrived, or before that if the body is not needed.

        The body of an answered request is received too: an unread one closes the connection, and
        the client's next request is lost. But the connection ends with an answer to a client that
        announces too large a body, or waits for the permission to send it.
        """
        timer = None
        if request.must_be_answered_first:
            self.run_first(request)
            if await request.is_answered():
                return
        else:
            timer = self.loop.call_later(PATIENCE, self.run_first, request)
        body = await receive_body(receive, request.length)
        if timer:
            timer.cancel()
        if not await request.is_answered():
            self.start(request, body)

    def run_first(self, request: Request) -> None:
        """Run the application without the body."""
        request.first_run = self.loop.create_future()
        self.start(request, AWAITED)
