"""Refuse requests that no thread can serve in time. It costs little: the 503 is made once."""

import logging
from time import perf_counter

from flask import Flask

from chirpy.server.requests import Request
from chirpy.web import errors, logs, request_ids
from chirpy.web.bulkheads import Overloaded
from chirpy.web.request_log import LINE, as_logged

LOG = logging.getLogger(__name__)


class Overload:
    """The response to the surplus of requests. It differs only in the request's id."""

    def __init__(self, app: Flask) -> None:
        response = errors.prepare(app, Overloaded())
        self.status = response.status_code
        self.content = response.get_data()
        del response.headers[request_ids.HEADER]
        self.headers = list(response.headers)

    def refuse(self, request: Request) -> None:
        """Respond to one request, and log it as any other one that failed."""
        request_id = request_ids.id_from(request.environ.get("HTTP_X_REQUEST_ID", ""))
        request.respond(
            self.status, [*self.headers, (request_ids.HEADER, request_id)], self.content
        )
        line = {
            "method": as_logged(request.environ["REQUEST_METHOD"]),
            "path": as_logged(request.environ["PATH_INFO"]),
            "status": self.status,
            "milliseconds": round((perf_counter() - request.arrived) * 1000, 1),
        }
        facts = logs.facts(**line, reason=Overloaded.error, request_id=request_id)
        LOG.warning(LINE, line, extra=facts)
