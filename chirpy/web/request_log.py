"""The log line of each request. In production, by default only failed requests have one."""

import logging
from time import perf_counter
from urllib.parse import quote

from flask import Response, g, request

from chirpy.settings import Settings, current_settings
from chirpy.web import logs

LOG = logging.getLogger(__name__)
BEGAN = "chirpy.began"  # in the environ: when the request began, in seconds
POLL = "Chirpy-Poll"  # a header of what the page requests every 1.5 seconds
MAX_LENGTH = 200  # characters of a path or a method; a client can send 16 KiB
LINE = "%(method)s %(path)s %(status)s %(milliseconds)s ms"


def log_request(response: Response) -> None:
    """Log the current request, if the settings want a line or it failed.

    The query string and the headers are never logged: they can have secrets and personal data.
    """
    failed = response.status_code >= 400
    if not failed and not logs_success(current_settings()):
        return
    line = {
        "method": as_logged(request.method),
        "path": as_logged(request.path),
        "status": response.status_code,
        "milliseconds": round((perf_counter() - request.environ[BEGAN]) * 1000, 1),
    }
    reason = {"reason": g.get("refusal_reason")} if failed else {}
    level = logging.WARNING if failed else logging.INFO
    LOG.log(level, LINE, line, extra=logs.facts(**line, **reason))


def as_logged(text: str) -> str:
    """Return the text for the log: quoted, without a control character, and not too long."""
    quoted = quote(text, errors="replace")
    return quoted if len(quoted) <= MAX_LENGTH else f"{quoted[:MAX_LENGTH]}…"


def logs_success(settings: Settings) -> bool:
    """Return whether the current request is logged, although it succeeded.

    Without LOG_REQUESTS, a developer sees all but those that an open page repeats by itself.
    """
    if settings.log_requests:
        return settings.log_requests == "1"
    return settings.platform == "dev" and POLL not in request.headers
