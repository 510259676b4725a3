"""Log lines: a message, and facts beside it.

    LOG.warning("Delivery refused", extra=logs.facts(status=401, reason="no key"))

On a terminal the lines are text for people; anywhere else they are JSON for log collectors.
"""

import logging.config
import re
import sys
from secrets import token_hex
from typing import Any

from flask import g, has_request_context, request

from chirpy.web.log_formatters import JSONFormatter, TextFormatter

REQUEST_ID = "X-Request-Id"
VALID_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


def facts(**facts: object) -> dict[str, Any]:
    """Return `extra` for a log call: these facts, and the id of the current request."""
    if has_request_context():
        facts["request_id"] = request_id()
    return {"facts": facts}


def request_id() -> str:
    """Return the header X-Request-Id of the request if it is valid, else a new id."""
    if "request_id" not in g:
        header = request.headers.get(REQUEST_ID, "")
        g.request_id = header if VALID_REQUEST_ID.fullmatch(header) else token_hex(16)
    return str(g.request_id)


def configure() -> None:
    """Log to stderr: Chirpy's messages from INFO on, other libraries' from WARNING on."""
    formatter = "text" if sys.stderr.isatty() else "json"
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {
                "text": {"()": TextFormatter, "format": "%(asctime)s %(levelname)s %(message)s"},
                "json": {"()": JSONFormatter},
            },
            "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": formatter}},
            "root": {"handlers": ["stderr"], "level": "WARNING"},
            "loggers": {"chirpy": {"level": "INFO"}},
        }
    )
