"""The two forms of a log line: text for people, and JSON for log collectors."""

import json
import logging
from datetime import UTC, datetime
from typing import Any

ENCODER = json.JSONEncoder(default=str)


class TextFormatter(logging.Formatter):
    """Time, level and message, then `name=value` for each fact."""

    def format(self, record: logging.LogRecord) -> str:
        message = super().format(record)
        facts = (f"{name}={value}" for name, value in getattr(record, "facts", {}).items())
        return "  ".join((message, *facts))


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
