"""What is told besides the answers: a line for each event, with its facts beside it.

    LOG.warning("Delivery refused", extra=logs.facts(status=401, reason="no key"))

At a terminal the lines are for reading; anywhere else they are JSON, for whatever collects them.
"""

import json
import logging.config
import re
import sys
from datetime import UTC, datetime
from secrets import token_hex
from typing import Any

from flask import g, has_request_context, request

REQUEST_ID = "X-Request-Id"
SANE = re.compile(r"[A-Za-z0-9._-]{1,64}")  # what of a caller's request id goes into the log
ENCODER = json.JSONEncoder(default=str)


class Lines(logging.Formatter):
    """Time, level and message, then `name=value` for each fact."""

    def format(self, record: logging.LogRecord) -> str:
        told = super().format(record)
        facts = (f"{name}={value}" for name, value in getattr(record, "facts", {}).items())
        return "  ".join((told, *facts))


class JsonLines(logging.Formatter):
    """One JSON object a line; a traceback is one of its strings."""

    def format(self, record: logging.LogRecord) -> str:
        told: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            told["traceback"] = self.formatException(record.exc_info)
        return ENCODER.encode(told | getattr(record, "facts", {}))


def facts(**facts: object) -> dict[str, Any]:
    """What a line says besides its message, and which request it is about."""
    if has_request_context():
        facts["request_id"] = request_id()
    return {"facts": facts}


def request_id() -> str:
    """The id of this request: its header X-Request-Id, if that is sane, else a fresh one."""
    if "request_id" not in g:
        given = request.headers.get(REQUEST_ID, "")
        g.request_id = given if SANE.fullmatch(given) else token_hex(16)
    return str(g.request_id)


def configure() -> None:
    """Log to stderr: Chirpy's own news, other libraries' warnings."""
    formatter = "lines" if sys.stderr.isatty() else "json"
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {
                "lines": {"()": Lines, "format": "%(asctime)s %(levelname)s %(message)s"},
                "json": {"()": JsonLines},
            },
            "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": formatter}},
            "root": {"handlers": ["stderr"], "level": "WARNING"},
            "loggers": {"chirpy": {"level": "INFO"}},
        }
    )
