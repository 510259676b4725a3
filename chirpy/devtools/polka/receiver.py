"""Who receives the messages, and one attempt to deliver one.

The standard library's HTTP client is enough: urllib3 is built on it, and what it adds (redirects,
retries out of sight) is what a provider whose every attempt is to be seen would have to turn off.
"""

import json
import re
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit

from werkzeug.http import parse_date

from chirpy.devtools.polka.messages import Message
from chirpy.webhooks.signature import sign

TIMEOUT = 15  # seconds without a byte; Standard Webhooks 1.0.0 advises 15 to 30
SECONDS = re.compile(r"[0-9]{1,9}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Receiver:
    """Where messages go, and what proves to whoever is there that they are Polka's."""

    url: str
    api_key: str | None
    signing_key: bytes | None

    def headers(self, message: Message) -> dict[str, str]:
        """The headers of an attempt that is made now: each is signed anew."""
        headers = {"Content-Type": "application/json", "User-Agent": "Polka (simulated)"}
        if self.api_key is not None:
            headers["Authorization"] = f"ApiKey {self.api_key}"
        if self.signing_key is not None and message.event_id is not None:
            proof = {"event_id": message.event_id, "timestamp": str(int(time.time()))}
            headers["webhook-id"] = proof["event_id"]
            headers["webhook-timestamp"] = proof["timestamp"]
            headers["webhook-signature"] = sign(**proof, body=message.body, key=self.signing_key)
        return headers


@dataclass(frozen=True, slots=True)
class Attempt:
    """What came of one attempt.

    `status` is None if no answer came. `says` is the receiver's word on it, or why there is none.
    `retry_after`, in seconds, is how long the receiver asks to be left alone.
    """

    status: int | None
    says: str
    retry_after: float = 0

    def __str__(self) -> str:
        return f"{self.status or 'no answer:'} {self.says}".rstrip()

    @property
    def acknowledged(self) -> bool:
        """Whether the receiver has it for good."""
        return self.status is not None and 200 <= self.status < 300

    @property
    def unsure(self) -> bool:
        """Whether nobody can say if it was taken: no answer came, or the receiver is in trouble."""
        return self.status is None or self.status >= 500


class Line:
    """A connection to the receiver, kept open from one message to the next. For one thread."""

    def __init__(self, receiver: Receiver) -> None:
        url = urlsplit(receiver.url)
        kind = HTTPSConnection if url.scheme == "https" else HTTPConnection
        self.connection = kind(url.hostname or "", url.port or kind.default_port, timeout=TIMEOUT)
        self.target = f"{url.path or '/'}{'?' if url.query else ''}{url.query}"
        self.receiver = receiver

    def attempt(self, message: Message) -> Attempt:
        """Send a message and hear what the receiver says; redirects are not followed."""
        headers = self.receiver.headers(message)
        try:
            self.connection.request("POST", self.target, message.body, headers)
            with self.connection.getresponse() as answer:
                return heard(answer, answer.read())
        except (OSError, HTTPException) as error:
            self.close()
            return Attempt(None, getattr(error, "strerror", None) or str(error))

    def close(self) -> None:
        """Hang up; the next attempt opens the line again."""
        self.connection.close()


def heard(answer: HTTPResponse, body: bytes) -> Attempt:
    """What an answer says: the outcome of what was taken, or the error and what to do about it."""
    says = answer.getheader("Webhook-Outcome") or told(body) or answer.reason
    return Attempt(answer.status, says, seconds(answer.getheader("Retry-After", "")))


def told(body: bytes) -> str:
    """`error` and `hint` of a JSON body, nothing of any other."""
    try:
        known: Any = json.loads(body)
    except ValueError:
        return ""
    words = [known.get("error"), known.get("hint")] if isinstance(known, dict) else []
    return ". ".join(str(word) for word in words if word)


def seconds(retry_after: str) -> float:
    """The header `Retry-After` in seconds from now, whichever of its two forms it has; else 0."""
    if SECONDS.fullmatch(retry_after):
        return int(retry_after)
    moment = parse_date(retry_after)
    return max(0, (moment - datetime.now(UTC)).total_seconds()) if moment else 0
