"""Errors as problem details (RFC 9457), for clients that prefer them to Chirpy's own shape."""

from typing import Any

from werkzeug.datastructures import MIMEAccept
from werkzeug.http import HTTP_STATUS_CODES, parse_accept_header

JSON = "application/json"
PROBLEM = "application/problem+json"


def is_preferred(accept: str) -> bool:
    """Return whether a header `Accept` prefers problem details to JSON.

    It must name their type, because a wildcard means the default. Of equal preferences theirs wins:
    a client that accepts both wants JSON for data and problem details for errors.
    """
    if PROBLEM not in accept.lower():
        return False
    accepted = parse_accept_header(accept)
    types = MIMEAccept([(name.partition(";")[0], quality) for name, quality in accepted])
    return 0 < types.quality(PROBLEM) >= types.quality(JSON)


def problem_details(status: int, error: str, **extensions: Any) -> dict[str, Any]:
    """Return the members of RFC 9457, and ours. The type `about:blank` requires this title."""
    standard = {"type": "about:blank", "title": HTTP_STATUS_CODES[status], "status": status}
    return standard | {"detail": error} | extensions
