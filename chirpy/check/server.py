"""The judged server: requests in its spelling, its answers, and the users that checks need."""

import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from secrets import token_hex
from threading import Barrier
from typing import Any

from chirpy.check.answers import Answer
from chirpy.check.client import Client, NoAnswer
from chirpy.check.outcomes import Blocked, needed
from chirpy.check.people import User, bearer, new_credentials
from chirpy.check.polka import Polka
from chirpy.check.requests import Request, encode

JSON = {"Content-Type": "application/json"}


class Server:
    """The server that is judged. Without `camel`, its JSON is that of the Go edition."""

    def __init__(
        self, client: Client, polka: Polka, *, camel: bool = False, strict: bool = False
    ) -> None:
        self.client, self.polka, self.camel, self.strict = client, polka, camel, strict
        self.steps: list[Answer] = []  # of the check that runs
        self.users: dict[str, User | str] = {}
        self.posted: list[str] = []  # ids of chirps, the oldest first
        self.downgrades: bool | None = None  # whether it acts on user.downgraded, once known

    def spell(self, name: str) -> str:
        """Return a key as this edition of the course writes it."""
        return re.sub("_(.)", lambda found: found[1].upper(), name) if self.camel else name

    def send(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> Answer:
        """Send a request, with `body` as JSON unless it is bytes."""
        answer = self.exchange(self.request(method, path, body, headers))
        self.steps.append(answer)
        return answer

    def request(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> Request:
        """Return a request to this server."""
        types = {} if body is None else JSON
        return Request(method, self.client.url + path, encode(body), types | (headers or {}))

    def exchange(self, request: Request) -> Answer:
        """Send the request; return the answer, or why there is none."""
        try:
            return Answer(request, self.client.send(request), "", self.spell)
        except NoAnswer as problem:
            return Answer(request, None, str(problem), self.spell)

    def burst(self, requests: Sequence[Request]) -> list[Answer]:
        """Send the requests at the same moment."""
        barrier = Barrier(len(requests), timeout=5)

        def send(request: Request) -> Answer:
            barrier.wait()
            return self.exchange(request)

        with ThreadPoolExecutor(len(requests)) as pool:
            answers = list(pool.map(send, requests))
        self.steps += answers
        return answers

    def get(self, path: str) -> Answer:
        """GET a path."""
        return self.send("GET", path)

    def post(self, path: str, body: Any = None, token: str = "") -> Answer:
        """POST JSON, with a token if one is given."""
        return self.send("POST", path, body, bearer(token))

    def put(self, path: str, body: Any, token: str = "") -> Answer:
        """PUT JSON, with a token if one is given."""
        return self.send("PUT", path, body, bearer(token))

    def delete(self, path: str, token: str = "") -> Answer:
        """DELETE a path, with a token if one is given."""
        return self.send("DELETE", path, headers=bearer(token))

    def reset(self) -> Answer:
        """Delete everything on the server."""
        self.users.clear()
        self.posted.clear()
        return self.post("/admin/reset")

    def user(self, name: str = "walt") -> User:
        """Return a user who has logged in, the same for a name. Raise Blocked if none can."""
        if name not in self.users:
            try:
                self.users[name] = self.new_user(name)
            except Blocked as blocked:
                self.users[name] = str(blocked)
        user = self.users[name]
        if isinstance(user, str):
            raise Blocked(user)
        return user

    def new_user(self, name: str = "user") -> User:
        """Sign up and log in. Raise Blocked if that fails."""
        user = self.sign_up(name)
        with needed("a user must be able to log in"):
            request = self.request("POST", "/api/login", user.credentials)
            login = self.exchange(request).has_status(200)
            refresh_token = login.member("refresh_token")
            refresh_token = (
                refresh_token if isinstance(refresh_token, str) else ""
            )  # its checks fail
            return user._replace(token=login.word("token"), refresh_token=refresh_token)

    def sign_up(self, name: str = "user") -> User:
        """Return a new user who has not logged in. Raise Blocked if none can sign up."""
        credentials = new_credentials(name)
        with needed("a user must be able to sign up"):
            request = self.request("POST", "/api/users", credentials)
            user_id = self.exchange(request).has_status(201).word("id")
        return User(credentials["email"], credentials["password"], user_id)

    def chirp(self, author: User, body: str = "") -> str:
        """Post a chirp and return its id. Raise Blocked if that fails."""
        text = body or f"Chirp {token_hex(4)}"
        with needed("a chirp must be posted"):
            answer = self.post("/api/chirps", {"body": text}, author.token)
            return answer.has_status(201).word("id")
