"""Judge small servers in memory, right and wrong ones."""

from collections.abc import Callable, Iterable
from http.client import HTTPMessage
from typing import Any

from werkzeug.test import Client as WerkzeugClient

from chirpy.check.client import Client, Response
from chirpy.check.polka import Polka
from chirpy.check.registry import Chapter
from chirpy.check.requests import Request
from chirpy.check.results import PASSED, SKIPPED, run
from chirpy.check.server import Server
from chirpy.check.suites import select
from tests.support.databases import POLKA_KEY
from tests.support.small_chirpy import SmallChirpy

Mistakes = dict[str, tuple[dict[str, Any], str]]  # other rules, and the checks that they fail


class InProcess(Client):
    """A client without connections, which is ten times as fast. Other tests use real ones."""

    def __init__(self, app: Any) -> None:
        super().__init__("http://localhost")
        self.app = app

    def exchange(self, request: Request) -> Response:
        client = WerkzeugClient(self.app)
        answer = client.open(
            request.target, method=request.method, data=request.body, headers=request.headers
        )
        headers = HTTPMessage()
        for name, value in answer.headers.items():
            headers[name] = value
        return Response(answer.status_code, headers, answer.data)


def failed(server: SmallChirpy, suite: Iterable[Chapter], *, camel: bool = False) -> set[str]:
    """Judge the server, and return the names of the checks that it did not pass."""
    secrets = (server.secret,) if server.secret else ()
    judged = Server(InProcess(server.application), Polka(POLKA_KEY, secrets=secrets), camel=camel)
    results = list(run(select(suite, [], camel=camel, strict=False), judged))
    return {r.check.name for r in results if r.outcome not in (PASSED, SKIPPED)}


def a_server(rules: dict[str, Any]) -> SmallChirpy:
    """Return the right server with other rules."""
    server: SmallChirpy = type("WrongChirpy", (SmallChirpy,), rules)()
    return server


def always(value: Any) -> Callable[..., Any]:
    """Return a rule that is the same for everything."""
    return lambda *_args, **_named: value
