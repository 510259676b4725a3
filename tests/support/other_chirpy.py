"""Serve small servers with the course's API, right and wrong ones, for storms over HTTP."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

from flask import Flask, Response, abort, request

from tests.support.wsgi_server import serve

Colors = dict[str, bool]


def upgrade(red: Colors, user_id: str, kind: str) -> None:
    """Do what the course asks for."""
    red[user_id] = red[user_id] or kind == "user.upgraded"


def toggle(red: Colors, user_id: str, kind: str) -> None:
    red[user_id] = not red[user_id]


def forget(red: Colors, user_id: str, kind: str) -> None:
    """Acknowledge without storing."""


def follow_arrival(red: Colors, user_id: str, kind: str) -> None:
    red[user_id] = kind == "user.upgraded"


@contextmanager
def another_chirpy(
    receive: Callable[[Colors, str, str], None], broken: str = "", busy: int = 0
) -> Iterator[str]:
    """Run a small Chirpy without timestamps; yield its URL.

    The path `broken` fails. The first `busy` requests are answered 503.
    """
    app, red, requests = Flask(__name__), Colors(), count()

    @app.post("/<path:path>")
    def answer(path: str) -> dict[str, Any] | Response:
        if path == broken:
            abort(500)
        if next(requests) < busy:
            return Response(status=503, headers={"Retry-After": "1"})
        if path == "api/polka/webhooks":
            receive(red, request.json["data"]["user_id"], request.json["event"])
            return {}
        email = request.json["email"]
        return {"id": email, "is_chirpy_red": red.setdefault(email, False)}

    with serve(app) as url:
        yield url
