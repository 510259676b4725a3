"""Every failure as the same JSON: `error` says what, `hint` the next step, `fields` where."""

import logging
from collections.abc import Iterator, Mapping
from traceback import format_tb
from typing import Any

from flask import Flask, current_app, g, jsonify, request
from flask.typing import ResponseReturnValue
from marshmallow import ValidationError
from sqlalchemy.exc import DBAPIError, OperationalError, TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound
from werkzeug.routing import RequestRedirect

from chirpy import logs
from chirpy.postgres import PrivatePostgresError

LOG = logging.getLogger(__name__)
RETRY_AFTER = 1  # seconds; the database is usually back, or the lock free, by then

# SQLSTATE classes that speak of Postgres' state, not of our statement: connection, transaction
# rollback, insufficient resources, object not in prerequisite state, operator intervention, and the
# one code of a read-only standby. https://www.postgresql.org/docs/current/errcodes-appendix.html
PASSING = ("08", "40", "53", "55", "57", "25006")


class Refused(HTTPException):
    """A request turned down.

    `fields` maps a field's path, `data.user_id`, to what is wrong; `reason` is for the log only.
    """

    def __init__(
        self,
        code: int,
        error: str,
        *,
        hint: str | None = None,
        fields: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        reason: str | None = None,
    ) -> None:
        super().__init__(error)
        self.code = code
        self.hint = hint
        self.fields = fields
        self.headers = headers or {}
        self.reason = reason or error

    def get_headers(self, *args: Any, **kwargs: Any) -> list[tuple[str, str]]:
        return [*super().get_headers(*args, **kwargs), *self.headers.items()]


def register(app: Flask) -> None:
    """Answer every failure of `app`, the framework's own included."""
    app.register_error_handler(HTTPException, answer_refusal)
    app.register_error_handler(NotFound, answer_nowhere)
    app.register_error_handler(MethodNotAllowed, answer_other_method)
    app.register_error_handler(ValidationError, answer_invalid_fields)
    app.register_error_handler(DBAPIError, answer_database_trouble)
    app.register_error_handler(PoolTimeout, answer_unavailable)
    app.register_error_handler(PrivatePostgresError, answer_unavailable)
    app.register_error_handler(Exception, answer_bug)


def answer_refusal(refusal: HTTPException) -> ResponseReturnValue:
    """400 to 499, whoever raised it; keeps `Allow`, `Retry-After` and `WWW-Authenticate`."""
    if isinstance(refusal, RequestRedirect):
        return refusal
    body: dict[str, Any] = {"error": refusal.description or refusal.name}
    if isinstance(refusal, Refused):
        body |= {name: value for name in ("hint", "fields") if (value := getattr(refusal, name))}
    headers = [(name, value) for name, value in refusal.get_headers() if name != "Content-Type"]
    headers.append((logs.REQUEST_ID, logs.request_id()))
    g.refused_because = getattr(refusal, "reason", refusal.description)
    return jsonify(body), refusal.code or 500, headers


def answer_nowhere(_: NotFound) -> ResponseReturnValue:
    """404 for a path that is no route's, or for a page that the website lacks."""
    if request.url_rule is None and is_route(request.path.rstrip("/")):
        hint = "Leave out the slash at the end"
    else:
        hint = "The README lists all routes under `The API`, as `flask routes` does"
    return answer_refusal(Refused(404, "Nothing is here", hint=hint))


def answer_other_method(error: MethodNotAllowed) -> ResponseReturnValue:
    """405 that says which methods there are."""
    allowed = ", ".join(sorted(error.valid_methods or ()))
    hint = f"Allowed here: {allowed}"
    return answer_refusal(
        Refused(405, "This method is not allowed here", hint=hint, headers={"Allow": allowed})
    )


def is_route(path: str) -> bool:
    """Whether `path` leads somewhere, by whatever method."""
    routes = current_app.create_url_adapter(request)
    return routes is not None and any(routes.allowed_methods(path))


def answer_invalid_fields(error: ValidationError) -> ResponseReturnValue:
    """400 that names each field by its path."""
    messages = error.messages
    fields = dict(flatten(messages if isinstance(messages, dict) else {error.field_name: messages}))
    sentences = [f"{path} {problem}".strip() for path, problem in fields.items()]
    return answer_refusal(Refused(400, "; ".join(sentences), fields=fields))


def answer_database_trouble(error: DBAPIError) -> ResponseReturnValue:
    """503 when Postgres is away, busy or shutting down; anything else is a bug of ours."""
    state = getattr(error.orig, "pgcode", None)
    unheard = state is None and isinstance(error, OperationalError)  # nobody there to send a code
    if unheard or error.connection_invalidated or (state or "").startswith(PASSING):
        return answer_unavailable(error)
    return answer_bug(error)


def answer_unavailable(error: Exception) -> ResponseReturnValue:
    """503: whatever the request wanted has not happened, or nobody can say; ask again."""
    LOG.error("Database unavailable", extra=logs.facts(cause=cause_of(error)))
    return answer_refusal(
        Refused(
            503,
            "The database is not available right now",
            hint="Send the same request again; a chirp without an Idempotency-Key might come twice",
            headers={"Retry-After": str(RETRY_AFTER)},
        )
    )


def answer_bug(error: Exception) -> ResponseReturnValue:
    """500, which says nothing of its cause; the log does."""
    if isinstance(error, DBAPIError):  # whose text may hold people's data
        where = "".join(format_tb(error.__traceback__))
        told = logs.facts(cause=cause_of(error), traceback=where)
        LOG.error("Unhandled database error", extra=told)
    else:
        LOG.error("Unhandled exception", exc_info=error, extra=logs.facts())
    return answer_refusal(Refused(500, "Something went wrong on our side"))


def cause_of(error: Exception) -> str:
    """Why, in one line: what Postgres adds to it are its statement and people's data."""
    cause = getattr(error, "orig", None) or error
    said = getattr(getattr(cause, "diag", None), "message_primary", None) or str(cause)
    return said.partition("\n")[0]


def flatten(messages: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Marshmallow's nested messages as pairs of a dotted path and one text."""
    if isinstance(messages, Mapping):
        for name, below in messages.items():
            at = path if name == "_schema" else f"{path}.{name}" if path else str(name)
            yield from flatten(below, at)
    else:
        yield path or "The body", ", ".join(map(str, messages))
