"""Run the WSGI application behind granian's asynchronous interface, ASGI.

granian waits for the clients: for their bodies, and until they have read the responses. A thread is
needed only while the application runs. So a slow client holds a connection and some memory, and
nothing that others need.
"""

from functools import partial
from io import BytesIO
from time import monotonic, perf_counter
from typing import Any

from chirpy.database.deadlines import WAITS_SINCE
from chirpy.server.awaited_requests import AwaitedRequest
from chirpy.server.bodies import Receive
from chirpy.server.overload import Overload
from chirpy.server.requests import Request, Send, WSGIApplication
from chirpy.server.threads import ThreadPool

MAX_WAIT = 0.5  # seconds for a thread, then the request is refused
WITHOUT_THREAD = {"/api/healthz"}  # answered even if no thread is free
# These hash a password, each process one at a time. They wait without a thread, so that those of a
# classroom, which arrive together, delay nothing else and are not refused.
HASHING = {"/api/login", "/api/users"}
HASHING_MAX_WAIT = 4  # seconds, so that the whole request has less than 6
HASHING_PART = 8  # an eighth as many threads, because they wait for each other


class Adapter:
    """An ASGI application, but a plain function, that runs a WSGI application in threads."""

    def __init__(self, application: WSGIApplication, threads: int, overload: Overload) -> None:
        self.application = application
        self.pool = ThreadPool(threads, MAX_WAIT)
        self.hashing_pool = ThreadPool(max(2, threads // HASHING_PART), HASHING_MAX_WAIT)
        self.overload = overload
        self.awaited: dict[AwaitedRequest, None] = {}  # in the order of their arrival

    def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Let a thread answer a request, when its body has arrived. granian's thread calls this."""
        request = Request(scope, send)
        if request.length == 0:
            self.start(request, BytesIO())
        else:
            AwaitedRequest(request, receive, self.start, self.awaited)

    def start(self, request: Request, body: Any) -> None:
        """Run the application on a request, in a thread unless it must not wait for one."""
        request.environ[WAITS_SINCE] = monotonic()
        run = partial(request.run, self.application, body)
        path = request.environ["PATH_INFO"]
        if path in WITHOUT_THREAD:
            run()
        else:
            pool = self.hashing_pool if path in HASHING else self.pool
            pool.put(run, partial(self.overload.refuse, request))

    def look_at_time(self) -> None:
        """Refuse what has waited too long for its body or a thread. Call it often."""
        now = perf_counter()
        for request in tuple(self.awaited):
            request.look_at_time(now)
        self.pool.look_at_time()
        self.hashing_pool.look_at_time()
