"""Requests to a server under test, and the users and chirps that they refer to."""

import json
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from http.client import HTTPConnection, HTTPException, HTTPMessage
from secrets import token_hex
from typing import NamedTuple

import click

UNIQUE = "@@@@@@@unique@@@@@@@"  # replaced by another text of the same length in each request
TIMEOUT = 30  # seconds for one response
PAGE_SIZE = 100  # chirps
AUTHORS = 16  # who post and log in; creating one costs two password hashes
PASSWORD = "correct horse battery"  # noqa: S105 - of users who exist for one benchmark
CHIRP = "The quick brown fox jumps over the lazy dog, and back again, and says so"


class BenchmarkError(click.ClickException):
    """The benchmark can't run, or a measurement is not valid."""


@dataclass(frozen=True)
class Request:
    """One request. `values` names the values in it that a SQL statement may contain."""

    method: str
    path: str
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, str] = field(default_factory=dict)

    def all_headers(self) -> dict[str, str]:
        """Return the headers, with that of a JSON body if there is one."""
        return {**self.headers, **({"Content-Type": "application/json"} if self.body else {})}

    def raw(self, host: str) -> str:
        """Return the request as it is sent to `host`."""
        headers = {"Host": host, "Content-Length": str(len(self.body)), **self.all_headers()}
        lines = [f"{name}: {value}" for name, value in headers.items()]
        return "\r\n".join([f"{self.method} {self.path} HTTP/1.1", *lines, "", self.body])

    def with_unique_text(self) -> "Request":
        """Return the request with a random text in place of UNIQUE."""
        text = token_hex(len(UNIQUE) // 2)
        values = {name: value.replace(UNIQUE, text) for name, value in self.values.items()}
        return replace(self, body=self.body.replace(UNIQUE, text), values=values)


def send(url: str, request: Request, expected_status: int) -> tuple[HTTPMessage, str]:
    """Send one request; return headers and body. Raise BenchmarkError on any other status."""
    try:
        with closing(HTTPConnection(url.removeprefix("http://"), timeout=TIMEOUT)) as connection:
            body, headers = request.body or None, request.all_headers()
            connection.request(request.method, request.path, body, headers)
            response = connection.getresponse()
            text = response.read().decode()
    except (OSError, HTTPException) as error:
        raise BenchmarkError(f"{url} does not respond: {error!r}") from None
    if response.status != expected_status:
        problem = f"expected status {expected_status}, got {response.status}: {text[:200]}"
        raise BenchmarkError(f"{request.method} {url}{request.path}: {problem}")
    return response.headers, text


class Author(NamedTuple):
    """A user who signed up and logged in."""

    id: str
    email: str
    token: str


@dataclass
class Target:
    """A server under test. Webhook events are about the users with `upgraded_ids`."""

    url: str
    polka_key: str | None
    user_id_key: str = "user_id"
    authors: list[Author] = field(default_factory=list)
    upgraded_ids: Sequence[str] = ()
    chirp_ids: list[str] = field(default_factory=list)

    def create_authors(self) -> None:
        """Sign up and log in the authors."""
        for _ in range(AUTHORS):
            credentials = {"email": f"{token_hex(8)}@bench.example", "password": PASSWORD}
            send(self.url, Request("POST", "/api/users", json.dumps(credentials)), 201)
            _, text = send(self.url, Request("POST", "/api/login", json.dumps(credentials)), 200)
            login = json.loads(text)
            self.authors.append(Author(login["id"], credentials["email"], login["token"]))

    def create_content(self) -> None:
        """Create authors, and two pages of chirps by them. Events are about these authors."""
        self.create_authors()
        self.upgraded_ids = [author.id for author in self.authors]
        for number in range(2 * PAGE_SIZE):
            _, text = send(self.url, post_chirp(self.authors[number % AUTHORS]), 201)
            self.chirp_ids.append(json.loads(text)["id"])


def post_chirp(author: Author) -> Request:
    """Post one chirp."""
    headers = {"Authorization": f"Bearer {author.token}"}
    values = {"user_id": author.id, "body": CHIRP}
    return Request("POST", "/api/chirps", json.dumps({"body": CHIRP}), headers, values)
