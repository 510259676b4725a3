"""The headers that tell browsers what an answer may do."""

from flask import Response, g

from chirpy.web.problems import JSON, PROBLEM

# A page loads files of this server only, runs no script inside it, and is shown in no other page.
POLICY = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)


def add_security_headers(response: Response) -> None:
    """Add the headers of every answer, and of pages and files those with the view's `g.policy`.

    JSON needs no policy, because no browser shows it as a page.
    """
    response.headers.add("X-Content-Type-Options", "nosniff")
    if response.content_type not in {None, JSON, PROBLEM}:
        response.headers.add("Referrer-Policy", "no-referrer")
        response.headers.add("Content-Security-Policy", g.get("policy", POLICY))


def forbid_storing(response: Response) -> Response:
    """Let no cache keep the answer, because it has tokens or data of users. For a blueprint."""
    response.headers["Cache-Control"] = "no-store"
    return response
