"""The headers that tell browsers what an answer may do."""

from flask import Response, g

# A page loads files of this server only, runs no script inside it, and is shown in no other page.
POLICY = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)


def add_security_headers(response: Response) -> None:
    """Add the headers of every answer, with the view's `g.policy` if it has one.

    Looking for headers that are there already would take 10 µs instead of 2.
    """
    add = response.headers.add
    add("X-Content-Type-Options", "nosniff")  # JSON is never read as a script or a page
    add("Referrer-Policy", "no-referrer")
    add("Content-Security-Policy", g.get("policy", POLICY))


def forbid_storing(response: Response) -> Response:
    """Let no cache keep the answer, because it has tokens or data of users. For a blueprint."""
    response.headers["Cache-Control"] = "no-store"
    return response
