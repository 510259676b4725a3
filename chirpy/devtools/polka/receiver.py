"""Send requests to a receiver of webhooks, and read its answers."""

import json
import time
from contextlib import suppress
from datetime import UTC, datetime
from http.client import HTTPException, InvalidURL
from typing import Any, NamedTuple
from urllib.request import HTTPHandler, HTTPSHandler, OpenerDirector, Request, UnknownHandler

import click
from werkzeug.http import parse_date

from chirpy.web.control_characters import escape
from chirpy.webhooks.signature import signed_headers

TIMEOUT = 15  # seconds without a byte; Standard Webhooks 1.0.0 recommends 15 to 30
REFUSED = "No server at {}: Connection refused. Next: start it (make run), or correct PORT or --to"
OPENER = OpenerDirector()  # without the usual handlers of redirects, errors and proxies
for handler in (HTTPHandler, HTTPSHandler, UnknownHandler):
    OPENER.add_handler(handler())


class Answer(NamedTuple):
    """An answer; `status` is 0 if none came, `text` is its outcome, its error or the reason."""

    status: int
    text: str
    content: dict[str, Any]  # of the JSON object in the body
    retry_after: float  # seconds

    def __str__(self) -> str:
        return f"{self.status or 'no answer:'} {self.text}"

    @property
    def acknowledged(self) -> bool:
        return 200 <= self.status < 300


class Receiver:
    """The URL that receives requests, and the credentials to send."""

    def __init__(self, url: str, key: str | None = None, signing_key: bytes | None = None) -> None:
        self.url, self.key, self.signing_key, self.has_answered = url, key, signing_key, False

    def send(self, body: bytes, event_id: str = "") -> Answer:
        """Send a request over a new connection. Raise ClickException if the first is refused."""
        try:
            request = Request(self.url, body, self.headers(body, event_id))  # noqa: S310 - OPENER opens only http and https
            with OPENER.open(request, timeout=TIMEOUT) as response:
                self.has_answered = True
                return read_answer(response)
        except (ValueError, InvalidURL) as error:
            raise click.ClickException(f"{error}. Next: correct --to or --key") from None
        except (OSError, HTTPException) as error:
            reason = getattr(error, "reason", error)
            if isinstance(reason, ConnectionRefusedError) and not self.has_answered:
                raise click.ClickException(REFUSED.format(self.url)) from None
            return Answer(0, escape(str(reason)), {}, 0)

    def headers(self, body: bytes, event_id: str) -> dict[str, str]:
        """Return the headers of an attempt made now: each attempt has a new signature."""
        headers = {"Content-Type": "application/json", "User-Agent": "Polka (simulated)"}
        if self.key:
            headers["Authorization"] = f"ApiKey {self.key}"
        if self.signing_key:
            now = time.time()
            headers |= signed_headers(event_id=event_id, body=body, key=self.signing_key, now=now)
        return headers


def read_answer(response: Any) -> Answer:
    """Return the answer in an HTTP response."""
    content: dict[str, Any] = {}
    with suppress(ValueError, TypeError, RecursionError):  # TypeError: it is not an object
        content = {**json.loads(response.read())}
    error = ". ".join(str(content[key]) for key in ("error", "hint") if key in content)
    text = response.getheader("Webhook-Outcome") or error or response.reason
    wait = parse_retry_after(response.getheader("Retry-After", ""))
    return Answer(response.status, escape(str(text)), content, wait)


def parse_retry_after(retry_after: str) -> float:
    """Return the seconds that either form of `Retry-After` asks for, 0 if it is invalid."""
    if retry_after.isdecimal():
        return float(retry_after)
    moment = parse_date(retry_after)
    return (moment - datetime.now(UTC)).total_seconds() if moment else 0
