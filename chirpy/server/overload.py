"""Refuse requests that no thread can serve in time. It costs little: the 503 is made before."""

import logging
from time import perf_counter

from flask import Flask

from chirpy.server.metrics import CountRefused, count_nothing
from chirpy.server.requests import Request
from chirpy.web import errors, logs, problems, request_ids
from chirpy.web.overloaded import Overloaded
from chirpy.web.request_log import LINE, as_logged

LOG = logging.getLogger(__name__)


class Overload:
    """The response to the surplus of requests, as JSON and as problem details.

    It differs only in the request's id.
    """

    def __init__(self, app: Flask, count: CountRefused = count_nothing) -> None:
        self.count = count
        self.json = errors.prepare(app, Overloaded(), problems.JSON)
        self.problem = errors.prepare(app, Overloaded(), problems.PROBLEM)

    def refuse(self, request: Request) -> None:
        """Respond to one request, and log it as any other one that failed."""
        is_problem = problems.is_preferred(request.environ.get("HTTP_ACCEPT", ""))
        response = self.problem if is_problem else self.json
        request_id = request_ids.id_from(request.environ.get("HTTP_X_REQUEST_ID", ""))
        headers = [*response.headers, (request_ids.HEADER, request_id)]
        request.respond(response.status_code, headers, response.get_data())
        seconds = perf_counter() - request.arrived
        self.count(request.environ["REQUEST_METHOD"], seconds)
        line = {
            "method": as_logged(request.environ["REQUEST_METHOD"]),
            "path": as_logged(request.environ["PATH_INFO"]),
            "status": response.status_code,
            "milliseconds": round(seconds * 1000, 1),
        }
        facts = logs.facts(**line, reason=Overloaded.error, request_id=request_id)
        LOG.warning(LINE, line, extra=facts)
