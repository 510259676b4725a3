"""Every failure in one shape: `error` says what is wrong, `hint` what to do, `fields` where.

This module alone writes error responses. Domain code raises subclasses of `Refused`; the handlers
here turn every other exception into one.
"""

from collections.abc import Callable

from flask import Flask, Response, g, jsonify, request
from marshmallow import ValidationError
from werkzeug.exceptions import HTTPException

from chirpy.web import problems, request_ids
from chirpy.web.http_errors import refused_by_flask
from chirpy.web.invalid_fields import InvalidFields
from chirpy.web.refused import Refused
from chirpy.web.security_headers import add_security_headers
from chirpy.web.unexpected_errors import (
    DatabaseNotMigrated,
    DatabaseUnavailable,
    log_bug,
    log_unavailable,
)

Test = Callable[[Exception], bool]


def register(
    app: Flask,
    is_transient: Test,
    is_unmigrated: Test,
    next_step: Callable[[Exception], str | None],
) -> None:
    """Answer every failure of `app` with JSON, including the framework's own.

    `is_transient` says which exceptions are a 503, because the client can send the request again,
    and `next_step` what an operator must do first; every other unexpected exception is a 500.
    """

    def respond_to_unexpected(error: Exception) -> Response:
        if not is_transient(error):
            return respond(log_bug(error))
        log_unavailable(error, next_step(error))
        return respond(DatabaseNotMigrated() if is_unmigrated(error) else DatabaseUnavailable())

    app.register_error_handler(Refused, respond)
    app.register_error_handler(ValidationError, lambda error: respond(InvalidFields(error)))
    app.register_error_handler(HTTPException, lambda error: respond(refused_by_flask(error)))
    app.register_error_handler(Exception, respond_to_unexpected)


def respond(refused: Refused) -> Response:
    """Return the response to a refused request, and keep the reason for log and metrics."""
    response = as_accepted(refused, request.headers.get("Accept", ""))
    response.status_code = refused.status
    response.vary.add("Accept")
    response.headers[request_ids.HEADER] = request_ids.request_id()
    if refused.header:
        name, value = refused.header
        response.headers[name] = value
    g.refusal, g.refusal_reason = type(refused), refused.reason
    return response


def as_accepted(refused: Refused, accept: str) -> Response:
    """Return the error as JSON, or as problem details to a client that prefers those."""
    more = {name: value for name in ("hint", "fields") if (value := getattr(refused, name))}
    if not problems.is_preferred(accept):
        return jsonify({"error": refused.error} | more)
    response = jsonify(problems.problem_details(refused.status, refused.error, **more))
    response.mimetype = problems.PROBLEM
    return response


def prepare(app: Flask, refused: Refused, accept: str) -> Response:
    """Return the response to requests that are refused before the application sees them.

    `accept` is their header. The response lacks the request's id.
    """
    with app.test_request_context(headers={"Accept": accept}):
        response = respond(refused)
        add_security_headers(response)
        del response.headers[request_ids.HEADER]
        return response
