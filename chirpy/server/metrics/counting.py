"""Count the requests of a worker, in files that the main process reads.

The counts outlive the worker. No label has a value that a client can choose, so the number of time
series is limited.
"""

import collections
import os
import re
from functools import cache
from pathlib import Path
from time import perf_counter
from typing import Any

from flask import Flask, Request, Response, g, request
from prometheus_client import Counter, Histogram, values

from chirpy.server.metrics.exporter import FOLDER
from chirpy.web.overloaded import Overloaded
from chirpy.web.refused import Refused
from chirpy.web.request_log import BEGAN
from chirpy.webhooks.models import OUTCOMES

METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
NO_ROUTE = "none"  # an unknown path or method; or no thread was free to look
WORD = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")  # where one begins in a name
FILE_SIZE = 2**19  # bytes; twice as much as there are time series
# Seconds. Most requests take 1 to 25 ms, and none more than 6 s when its body has arrived.
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

REQUESTS = Counter(
    "chirpy_requests",
    "Requests. The outcome is that of a webhook, the reason of a refusal, or ok.",
    ["method", "route", "status", "outcome"],
)
SECONDS = Histogram(
    "chirpy_request_seconds",
    "Time from the arrival of a request to its response, with the wait for a thread.",
    ["method", "route"],
    buckets=BUCKETS,
)
PENDING: collections.deque[tuple[tuple[str, str, int, str], float]] = collections.deque()


def use_files_of(worker: int) -> None:
    """Count in files that are named after this number. By default they have the process id.

    So a new worker continues the counts of the one that it replaces, and there are not more and
    more files. Raise OSError if there is no space: a write to a mapped file would kill the worker.
    """
    for kind in ("counter", "histogram", "gauge_livesum"):
        path = Path(os.environ[FOLDER], f"{kind}_{worker}.db")
        if not path.exists():
            whole = path.with_suffix(".new")  # the main process would fail to read a part of it
            whole.write_bytes(bytes(FILE_SIZE))
            whole.rename(path)
    make_class: Any = values.MultiProcessValue  # which has no types
    vars(values)["ValueClass"] = make_class(lambda: worker)


def start(app: Flask) -> None:
    """Count the responses of `app`. Let deliveries be 0 before the first: a rate needs that."""
    app.after_request(count)
    for outcome in (*OUTCOMES, "duplicate"):
        series("POST", "/api/polka/webhooks", 204, outcome)


def count(response: Response) -> Response:
    """Count the current request, and measure its time."""
    environ = request.environ
    current: Request = environ["werkzeug.request"]  # each look at `request` costs 1 µs
    route = current.url_rule.rule if current.url_rule else NO_ROUTE
    labels = known_method(current.method), route, response.status_code, outcome_of(response)
    PENDING.append((labels, perf_counter() - environ[BEGAN]))
    return response


def count_overload(method: str, seconds: float) -> None:
    """Count a request that is refused before the application sees it."""
    labels = known_method(method), NO_ROUTE, Overloaded.status, reason_of(Overloaded)
    PENDING.append((labels, seconds))


def write() -> None:
    """Write what was counted since the last call to the files. Together, it costs half as much."""
    taken = [PENDING.popleft() for _ in range(len(PENDING))]
    for labels, number in collections.Counter(labels for labels, _ in taken).items():
        series(*labels)[0].inc(number)
    for labels, seconds in taken:
        series(*labels)[1].observe(seconds)


@cache
def series(method: str, route: str, status: int, outcome: str) -> tuple[Counter, Histogram]:
    """Return the time series of such requests."""
    return REQUESTS.labels(method, route, status, outcome), SECONDS.labels(method, route)


def known_method(method: str) -> str:
    """Return the method if it is one of HTTP, else `other`."""
    return method if method in METHODS else "other"


def outcome_of(response: Response) -> str:
    """Return the outcome of a webhook, the reason of a refusal, or `ok`."""
    if response.status_code >= 400:
        return reason_of(g.get("refusal", Refused))
    return response.headers.get("Webhook-Outcome", "ok") if response.status_code == 204 else "ok"


def reason_of(refusal: type[Refused]) -> str:
    """Return the name of an exception as a label: `unknown_user` for UnknownUser."""
    return WORD.sub("_", refusal.__name__).lower()
