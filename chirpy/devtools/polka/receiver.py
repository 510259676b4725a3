"""Send messages to a receiver, and read its answers. Redirects are not followed."""

import json
import re
import time
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from werkzeug.http import parse_date

from chirpy.webhooks.signature import sign

TIMEOUT = 15  # seconds without a byte; Standard Webhooks 1.0.0 recommends 15 to 30


class Message(NamedTuple):
    """The id of an event, empty if it has none, and the bytes that all its deliveries send."""

    id: str
    body: bytes


class Answer(NamedTuple):
    """An answer; `status` is 0 if none came, `text` is its outcome, its error or the reason."""

    status: int
    text: str
    content: dict[str, Any]  # of the JSON object in the body
    retry_after: float  # seconds

    def __str__(self) -> str:
        return f"{self.status or 'no answer:'} {self.text}".rstrip()

    @property
    def acknowledged(self) -> bool:
        return 200 <= self.status < 300


class Receiver(NamedTuple):
    """The URL that receives messages, and the credentials to send."""

    url: str
    api_key: str | None = None
    signing_key: bytes | None = None

    def connect(self) -> HTTPConnection:
        """Return a connection, which opens with the first message and after each close."""
        parts = urlsplit(self.url)
        kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        return kind(parts.hostname or "", parts.port or kind.default_port, timeout=TIMEOUT)

    def send(self, message: Message, connection: HTTPConnection) -> Answer:
        """Send a message, and return the answer. A connection that fails is closed."""
        parts, content = urlsplit(self.url), None
        target = f"{parts.path or '/'}?{parts.query}".removesuffix("?")
        try:
            connection.request("POST", target, message.body, self.headers(message))
            with connection.getresponse() as response, suppress(ValueError, RecursionError):
                content = json.loads(response.read())
        except (OSError, HTTPException) as error:
            connection.close()
            return Answer(0, getattr(error, "strerror", None) or str(error), {}, 0)
        content = content if isinstance(content, dict) else {}
        error_text = ". ".join(str(content[key]) for key in ("error", "hint") if content.get(key))
        text = response.getheader("Webhook-Outcome") or error_text or response.reason
        wait = seconds_until(response.getheader("Retry-After", ""))
        return Answer(response.status, text, content, wait)

    def headers(self, message: Message) -> dict[str, str]:
        """Return the headers of an attempt made now: each attempt has a new signature."""
        headers = {"Content-Type": "application/json", "User-Agent": "Polka (simulated)"}
        if self.api_key:
            headers["Authorization"] = f"ApiKey {self.api_key}"
        if self.signing_key and message.id:
            signed = {"event_id": message.id, "timestamp": str(int(time.time()))}
            headers["webhook-signature"] = sign(**signed, body=message.body, key=self.signing_key)
            headers |= {"webhook-id": message.id, "webhook-timestamp": signed["timestamp"]}
        return headers


def seconds_until(retry_after: str) -> float:
    """Return the seconds that either form of `Retry-After` asks for, 0 if it is invalid."""
    if re.fullmatch("[0-9]{1,9}", retry_after):
        return int(retry_after)
    moment = parse_date(retry_after)
    return (moment - datetime.now(UTC)).total_seconds() if moment else 0


def compose(
    event: str, user_id: str, event_id: str, timestamp: str, changes: Iterable[Any] = ()
) -> Message:
    """Write an event without an empty id or timestamp; `changes` are dotted paths and values."""
    optional = {"id": event_id, "timestamp": timestamp}
    content: dict[str, Any] = {name: text for name, text in optional.items() if text}
    content |= {"event": event, "data": {"user_id": user_id}}
    for path, value in changes:
        *parents, name = path.split(".")
        place = content
        for parent in parents:
            if not isinstance(place.get(parent), dict):
                place[parent] = {}
            place = place[parent]
        place[name] = value
    return Message(event_id, json.dumps(content).encode())
