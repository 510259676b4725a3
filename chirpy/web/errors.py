"""Every failure as the same JSON: `error` says what is wrong, `hint` what to do, `fields` where.

This module alone writes error responses. Domain code raises subclasses of `Refused`.
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from traceback import format_tb
from typing import Any

from flask import Flask, Response, current_app, g, jsonify, request
from flask.typing import ResponseReturnValue
from marshmallow import ValidationError
from sqlalchemy.exc import DBAPIError
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound
from werkzeug.routing import RequestRedirect

from chirpy.web import logs
from chirpy.web.refused import Refused

LOG = logging.getLogger(__name__)


class DatabaseUnavailable(Refused):
    """The database is away, busy or shutting down; or the result of a COMMIT is unknown."""

    status = 503
    error = "The database is not available right now"
    hint = (
        "Send the same request again. Without an Idempotency-Key, a repeated POST /api/chirps can"
        " create a second chirp"
    )
    retry_after = 1  # second; the database is usually back, or the lock free, by then


class InternalError(Refused):
    """A bug. The client learns nothing of its cause; the log has it."""

    status = 500
    error = "Internal server error"


def register(app: Flask, is_transient: Callable[[Exception], bool]) -> None:
    """Answer every failure of `app` with JSON, including the framework's own.

    `is_transient` says which exceptions are a 503, because the client can send the request again;
    every other unexpected exception is a 500.
    """
    app.register_error_handler(Refused, respond)
    app.register_error_handler(HTTPException, respond_to_http_exception)
    app.register_error_handler(NotFound, respond_to_not_found)
    app.register_error_handler(MethodNotAllowed, respond_to_method_not_allowed)
    app.register_error_handler(ValidationError, respond_to_invalid_fields)
    app.register_error_handler(Exception, partial(respond_to_exception, is_transient))


def respond(refused: Refused) -> Response:
    """Return the response to a refused request, and keep the reason for the log."""
    body: dict[str, Any] = {"error": refused.error}
    body |= {name: value for name in ("hint", "fields") if (value := getattr(refused, name))}
    response = jsonify(body)
    response.status_code = refused.status
    response.headers[logs.REQUEST_ID] = logs.request_id()
    if refused.challenge:
        response.headers["WWW-Authenticate"] = refused.challenge
    if refused.retry_after:
        response.headers["Retry-After"] = str(refused.retry_after)
    g.refusal_reason = refused.reason
    return response


def respond_to_http_exception(error: HTTPException) -> ResponseReturnValue:
    """Return the framework's 4xx or 5xx as JSON; a redirect stays as it is."""
    if isinstance(error, RequestRedirect):
        return error
    refused = Refused(error.description or error.name)
    refused.status = error.code or 500
    return respond(refused)


def respond_to_not_found(_: NotFound) -> Response:
    """Return 404 for a path that no route has, or a page that the website lacks."""
    if request.url_rule is None and is_route(request.path.rstrip("/")):
        hint = "Remove the slash at the end of the path"
    else:
        hint = "docs/api.md lists all routes, as `flask routes` does"
    refused = Refused("Not found", hint=hint)
    refused.status = 404
    return respond(refused)


def is_route(path: str) -> bool:
    """Return whether any method is allowed at `path`."""
    routes = current_app.create_url_adapter(request)
    return routes is not None and any(routes.allowed_methods(path))


def respond_to_method_not_allowed(error: MethodNotAllowed) -> Response:
    """Return 405 with the allowed methods."""
    allowed = ", ".join(sorted(error.valid_methods or ()))
    refused = Refused("Method not allowed", hint=f"Allowed methods: {allowed}")
    refused.status = 405
    response = respond(refused)
    response.headers["Allow"] = allowed
    return response


def respond_to_invalid_fields(error: ValidationError) -> Response:
    """Return 400 that names each invalid field by its path."""
    messages = error.messages
    fields = dict(flatten(messages if isinstance(messages, dict) else {error.field_name: messages}))
    sentences = [f"{path} {problem}".strip() for path, problem in fields.items()]
    return respond(Refused("; ".join(sentences), fields=fields))


def flatten(messages: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield marshmallow's nested messages as pairs of a dotted path and one text."""
    if isinstance(messages, Mapping):
        for name, nested in messages.items():
            nested_path = path if name == "_schema" else f"{path}.{name}" if path else str(name)
            yield from flatten(nested, nested_path)
    else:
        yield path or "The body", ", ".join(map(str, messages))


def respond_to_exception(is_transient: Callable[[Exception], bool], error: Exception) -> Response:
    """Return 503 for a transient error and 500 for any other, and log the cause."""
    if is_transient(error):
        LOG.error("Database unavailable", extra=logs.facts(cause=cause_of(error)))
        return respond(DatabaseUnavailable())
    if isinstance(error, DBAPIError):  # its text can hold people's data
        traceback = "".join(format_tb(error.__traceback__))
        facts = logs.facts(cause=cause_of(error), traceback=traceback)
        LOG.error("Unhandled database error", extra=facts)
    else:
        LOG.error("Unhandled exception", exc_info=error, extra=logs.facts())
    return respond(InternalError())


def cause_of(error: Exception) -> str:
    """Return the first line of the cause, without the statement and people's data."""
    cause = getattr(error, "orig", None) or error
    message = getattr(getattr(cause, "diag", None), "message_primary", None) or str(cause)
    return message.partition("\n")[0]
