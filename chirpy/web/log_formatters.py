"""The two forms of a log line: text for people, and JSON for log collectors."""

import json
import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from chirpy.web.control_characters import escape

ENCODER = json.JSONEncoder(default=str)
KEPT_IN_TEXT = "\n\t"  # of tracebacks; no line break of a client reaches the log


class TextFormatter(logging.Formatter):
    """Time, level and message, then `name=value` for each fact that the message lacks."""

    def format(self, record: logging.LogRecord) -> str:
        message = escape(super().format(record), keep=KEPT_IN_TEXT)
        in_message = record.args if isinstance(record.args, Mapping) else {}
        facts: dict[str, Any] = getattr(record, "facts", {})
        more = (
            f"{name}={escape(str(value), keep=KEPT_IN_TEXT)}"
            for name, value in facts.items()
            if name not in in_message
        )
        return "  ".join((message, *more))


class JSONFormatter(logging.Formatter):
    """One JSON object on each line; a traceback is one of its strings."""

    def format(self, record: logging.LogRecord) -> str:
        entry: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            entry["traceback"] = self.formatException(record.exc_info)
        return ENCODER.encode(entry | getattr(record, "facts", {}))


def is_no_request(record: logging.LogRecord) -> bool:
    """Return False for a request that `flask run` logs, because Chirpy logs it too."""
    return " - - [" not in record.getMessage()
