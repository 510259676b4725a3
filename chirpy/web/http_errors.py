"""The errors of Flask and Werkzeug as refusals: unknown paths, wrong methods, and all others."""

from flask import current_app, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound

from chirpy.web.refused import Refused

HINTS = {
    408: "Send the request again",
    411: "Send the header Content-Length",
    413: "Send a smaller request body",
    414: "Use a shorter path and query",
    416: "The header Content-Range has the length of the file; ask for a part of it",
    429: "Wait before you send the next request",
}


class HTTPError(Refused):
    """An error of the framework, with its status and description."""

    def __init__(self, error: HTTPException) -> None:
        self.status = error.code or 500
        is_of_client = 400 <= self.status < 500
        hint = HINTS.get(self.status, "GET /docs shows what each route accepts")
        super().__init__(error.description or error.name, hint=hint if is_of_client else "")
        ranges = [header for header in error.get_headers() if header[0] == "Content-Range"]
        self.header = ranges[0] if ranges else None


class PathNotFound(Refused):
    """No route has this path, or the website lacks this page."""

    status = 404
    error = "Not found"
    hint = "GET /docs shows all routes"


class WrongMethod(Refused):
    """The path has other methods. RFC 9110, section 15.5.6, requires the header Allow."""

    status = 405
    error = "Method not allowed"

    def __init__(self, allowed: str) -> None:
        self.header = ("Allow", allowed)
        super().__init__(hint=f"Allowed methods: {allowed}")


def refused_by_flask(error: HTTPException) -> Refused:
    """Return the refusal for an exception that Flask or Werkzeug raised."""
    match error:
        case NotFound() if request.url_rule is None and is_route(request.path.rstrip("/")):
            return PathNotFound(hint="Remove the slash at the end of the path")
        case NotFound():
            return PathNotFound()
        case MethodNotAllowed():
            return WrongMethod(", ".join(sorted(error.valid_methods or ())))
        case _:
            return HTTPError(error)


def is_route(path: str) -> bool:
    """Return whether any method is allowed at `path`."""
    routes = current_app.create_url_adapter(request)
    return routes is not None and any(routes.allowed_methods(path))
