"""Who and what the requests speak of, made through the API of the server that is measured."""

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from secrets import token_hex
from typing import Any, Literal

from benchmarks.asking import Ask, Caller
from benchmarks.failures import BenchmarkFailed

PAGE = 100  # chirps
AUTHORS = 16  # who post and log in; each costs two password hashes
PASSWORD = "correct horse battery"  # noqa: S105 - of users who exist for a minute
SPELLING = {"snake": "user_id", "camel": "userId"}
AT_ONCE = 4  # sign-ups


@dataclass(frozen=True)
class Author:
    """Somebody who signed up and logged in."""

    id: str
    email: str
    token: str


@dataclass
class Scene:
    """A server, its users and its chirps. `red` are the users whom webhooks are about."""

    caller: Caller
    polka_key: str | None
    case: Literal["snake", "camel"] = "snake"
    authors: Sequence[Author] = ()
    red: Sequence[str] = ()
    chirps: list[str] = field(default_factory=list)

    def ask(self, method: str, path: str, given: object = None, token: str = "") -> Any:
        """Ask for something that must succeed; returns the JSON of the answer."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        told = self.caller.ask(Ask(method, path, headers, written(given)))
        if not 200 <= told.status < 300:
            raise BenchmarkFailed(f"{method} {path} answered {told.status}: {told.text[:200]}")
        return told.json

    def sign_up(self) -> None:
        """Make the authors; unless told otherwise, the webhooks are about them."""
        run = token_hex(4)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            emails = [f"{run}-{number:02}@bench.example" for number in range(AUTHORS)]
            self.authors = list(pool.map(self._author, emails))
        self.red = self.red or [author.id for author in self.authors]

    def post(self, count: int) -> None:
        """Post chirps, by each author in turn."""
        for number in range(count):
            author = self.authors[number % len(self.authors)]
            chirp = self.ask("POST", "/api/chirps", {"body": saying(number)}, author.token)
            self.chirps.append(chirp["id"])

    def about(self, user_id: str) -> dict[str, str]:
        """An event's `data`, spelled as this server wants it."""
        return {SPELLING[self.case]: user_id}

    def _author(self, email: str) -> Author:
        self.ask("POST", "/api/users", credentials(email))
        login = self.ask("POST", "/api/login", credentials(email))
        return Author(login["id"], email, login["token"])


def credentials(email: str) -> dict[str, str]:
    """What signs up and logs in."""
    return {"email": email, "password": PASSWORD}


def saying(number: int) -> str:
    """A chirp of usual length."""
    return f"Number {number:08}: the quick brown fox jumps over the lazy dog, and back again"


def written(given: object) -> str:
    """JSON as a client sends it."""
    return "" if given is None else json.dumps(given)
