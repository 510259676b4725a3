"""The id of each request, which its error response and its log lines share."""

import re
from random import getrandbits

from flask import g, request

HEADER = "X-Request-Id"
VALID = re.compile(r"[A-Za-z0-9._-]{1,64}")


def request_id() -> str:
    """Return the header X-Request-Id of the request if it is valid, else a new id."""
    if "request_id" not in g:
        g.request_id = id_from(request.headers.get(HEADER, ""))
    return str(g.request_id)


def id_from(header: str) -> str:
    """Return the value of the header if it is valid, else a new id."""
    if VALID.fullmatch(header):
        return header
    # Not from `secrets`, which asks the kernel and meanwhile lets another thread run.
    return f"{getrandbits(128):032x}"
