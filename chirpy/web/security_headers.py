"""The headers that tell browsers what an answer may do."""

from flask import Response

POLICY_HEADER = "Content-Security-Policy"
# A page loads files of this server only, runs no script inside it, and is shown in no other page.
POLICY = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)
HEADERS = (
    ("X-Content-Type-Options", "nosniff"),  # JSON is never read as a script or a page
    ("Referrer-Policy", "no-referrer"),
    (POLICY_HEADER, POLICY),
)


def add_security_headers(response: Response) -> None:
    """Add the headers of every answer, unless it has its own."""
    for name, value in HEADERS:
        response.headers.setdefault(name, value)


def forbid_storing(response: Response) -> Response:
    """Let no cache keep the answer, because it has tokens or data of users. For a blueprint."""
    response.headers["Cache-Control"] = "no-store"
    return response
