"""Requests, as they go over the wire, and one answer at a time."""

import json
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPMessage
from typing import Any
from urllib.parse import urlsplit

from benchmarks.failures import BenchmarkFailed

UNIQUE = "@@@@@@@unique@@@@@@@"  # stands in a request for what no other request has had
PATIENCE = 30  # seconds for one answer


@dataclass(frozen=True)
class Ask:
    """One request. What `speaks_of` names stands in it: a user's id, an event's id, …"""

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""
    speaks_of: Mapping[str, str] = field(default_factory=dict)

    def raw(self, host: str) -> str:
        """The request as it goes over the wire; UNIQUE keeps its length when it is replaced."""
        headers = {"Host": host, **self.headers}
        if self.body:
            headers |= {"Content-Type": "application/json", "Content-Length": str(len(self.body))}
        lines = [f"{self.method} {self.path} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        return "\r\n".join([*lines, "", self.body])

    def made_unique(self, text: str) -> "Ask":
        """The request with `text`, as long as UNIQUE, in its place."""
        speaks_of = {name: said.replace(UNIQUE, text) for name, said in self.speaks_of.items()}
        body = self.body.replace(UNIQUE, text)
        return Ask(self.method, self.path, self.headers, body, speaks_of)


@dataclass(frozen=True)
class Told:
    """What came back."""

    status: int
    headers: HTTPMessage
    text: str

    @property
    def json(self) -> Any:
        """The body as the JSON it holds."""
        return json.loads(self.text)


class Caller:
    """Asks a server one thing at a time, on a connection of its own: no other has idled out."""

    def __init__(self, url: str) -> None:
        self.url = url
        place = urlsplit(url)
        if place.scheme != "http" or not place.hostname:
            raise BenchmarkFailed(f"{url} is no plain http://host:port")
        self._place = place.hostname, place.port or 80

    def ask(self, request: Ask) -> Told:
        """Send one request and read its answer. Raises BenchmarkFailed."""
        try:
            with closing(HTTPConnection(*self._place, timeout=PATIENCE)) as connection:
                connection.request(
                    request.method, request.path, request.body or None, dict(request.headers)
                )
                with closing(connection.getresponse()) as answer:
                    return Told(answer.status, answer.headers, answer.read().decode())
        except (OSError, HTTPException) as error:
            raise BenchmarkFailed(f"{self.url} does not answer: {error!r}") from None
