"""Log lines: a message, and facts beside it.

    LOG.error("Database unavailable", extra=logs.facts(cause="connection refused"))

On a terminal the lines are text for people; anywhere else they are JSON for log collectors.
"""

import logging.config
import sys
from typing import Any

from flask import has_request_context, request

from chirpy.web.log_formatters import JSONFormatter, TextFormatter, is_no_request
from chirpy.web.log_sampling import Sampling
from chirpy.web.request_ids import request_id


def facts(**facts: object) -> dict[str, Any]:
    """Return `extra` for a log call: these facts, and the id of the current request."""
    if not has_request_context():
        return {"facts": facts}
    return {"facts": facts | {"request_id": request_id()}, "endpoint": request.endpoint}


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
            "filters": {"no_requests": {"()": lambda: is_no_request}, "sampling": {"()": Sampling}},
            "handlers": {
                "stderr": {
                    "class": "logging.StreamHandler",
                    "formatter": formatter,
                    "filters": ["sampling"],
                }
            },
            "root": {"handlers": ["stderr"], "level": "WARNING"},
            "loggers": {"chirpy": {"level": "INFO"}, "werkzeug": {"filters": ["no_requests"]}},
        }
    )
