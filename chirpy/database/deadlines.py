"""Deadlines on this side of the connection, for a database that never answers.

The timeouts of Postgres do not help when its machine is stopped or cut off from the network, or
when a COMMIT waits for a standby. A request gets one deadline for all that it does with the
database; a statement outside a request gets one of its own.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from math import inf
from time import monotonic

from flask import Flask, request

LIMIT = 5.2  # seconds; more than statement_timeout, whose error says more
# Seconds for the statements of a request that has waited for its client, or for its turn.
AT_LEAST = 1.5
WAITS_SINCE = "chirpy.waits_since"  # in the environ: a time of `monotonic`, if the server is ours

request_began: ContextVar[float | None] = ContextVar("request_began", default=None)
shared_deadline: ContextVar[float | None] = ContextVar("shared_deadline", default=None)


def next_deadline() -> float:
    """Return when what begins now must have ended, as a time of `monotonic`."""
    deadline = shared_deadline.get()
    if deadline is None:
        began = request_began.get()
        if began is None:
            return monotonic() + LIMIT
        deadline = max(began + LIMIT, monotonic() + AT_LEAST)
        shared_deadline.set(deadline)
    return deadline


def seconds_left() -> float | None:
    """Return the time that is left to the request, or None if there is no limit."""
    if request_began.get() is None and shared_deadline.get() is None:
        return None
    seconds = next_deadline() - monotonic()
    return None if seconds == inf else seconds


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Give all statements of the block together this time, or no limit with `inf`."""
    token = shared_deadline.set(monotonic() + seconds)
    try:
        yield
    finally:
        shared_deadline.reset(token)


def bind_deadlines(app: Flask) -> None:
    """Give each request of `app` a deadline.

    Call this before other functions register what they do at the end of a request: Flask calls
    them in reverse order, and the rollback of the session is a part of the request.
    """

    @app.before_request
    def begin() -> None:
        request_began.set(request.environ.get(WAITS_SINCE) or monotonic())
        shared_deadline.set(None)

    @app.teardown_appcontext
    def end(_: BaseException | None) -> None:
        request_began.set(None)
        shared_deadline.set(None)
