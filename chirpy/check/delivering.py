"""Deliver events to the judged server, and look at their effect."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from secrets import token_hex
from typing import Any

from chirpy.check.answers import Answer
from chirpy.check.outcomes import NotApplicable, needed
from chirpy.check.people import User
from chirpy.check.polka import Delivery, a_delivery
from chirpy.check.requests import Request
from chirpy.check.server import Server

PATH = "/api/polka/webhooks"
UPGRADED, DOWNGRADED = "user.upgraded", "user.downgraded"


def event(server: Server, user_id: str, kind: str = UPGRADED, **more: Any) -> dict[str, Any]:
    """Return an event in the course's form; `more` are members such as `id` and `timestamp`."""
    return {"event": kind, "data": {server.spell("user_id"): user_id}} | more


def new_id() -> str:
    """Return an event's id that was not used before."""
    return f"evt_{token_hex(8)}"


def minutes_ago(minutes: float) -> str:
    """Return a time as an event's `timestamp`."""
    return (datetime.now(UTC) - timedelta(minutes=minutes)).isoformat()


def deliver(server: Server, content: Any, **credentials: Any) -> Answer:
    """Deliver an event, a Delivery, or any bytes; `credentials` are those of Polka.headers."""
    find_key(server)
    delivery = a_delivery(content)
    headers = server.polka.headers(delivery, **credentials)
    return server.send("POST", PATH, delivery.body, headers)


def deliver_with(server: Server, content: Any, headers: dict[str, str]) -> Answer:
    """Deliver with these headers instead of Polka's."""
    return server.send("POST", PATH, a_delivery(content).body, headers)


def request(server: Server, delivery: Delivery) -> Request:
    """Return the request of a delivery, to send it later."""
    find_key(server)
    return server.request("POST", PATH, delivery.body, server.polka.headers(delivery))


def find_key(server: Server) -> None:
    """Find the key that the receiver knows, with an event that means nothing to it."""
    polka = server.polka
    if polka.key:
        return
    for key in polka.keys:
        probe = a_delivery({"event": "check.started", "data": {}})
        headers = polka.headers(probe, key=key)
        answer = server.exchange(server.request("POST", PATH, probe.body, headers))
        if answer.status not in (401, 403):
            polka.key = key
            return
    polka.key = polka.keys[0]


def is_red(server: Server, user: User, red: bool = True) -> Answer:
    """Log in, and expect that the user is Chirpy Red, or is not."""
    return server.post("/api/login", user.credentials).has_status(200).has("is_chirpy_red", red)


def refused(answer: Answer) -> None:
    """Expect an answer without a 2xx."""
    answer.expect(answer.status >= 300, "no 2xx")


def is_refused(server: Server, send: Callable[[Server, dict[str, Any]], Answer]) -> None:
    """Expect that an upgrade that `send` delivers is a 401 and has no effect."""
    user = server.sign_up()
    send(server, event(server, user.id)).has_status(401)
    is_red(server, user, False)


def upgraded_user(server: Server) -> User:
    """Return a new user whose upgrade had its effect. Raise Blocked if it had not."""
    with needed("an upgrade must have its effect"):
        user = server.sign_up()
        deliver(server, event(server, user.id)).is_success()
        is_red(server, user)
    return user


def needs_downgrades(server: Server) -> None:
    """Raise NotApplicable if the receiver knows no user.downgraded, which the course has not."""
    if server.downgrades is None:
        user = upgraded_user(server)
        deliver(server, event(server, user.id, DOWNGRADED))
        login = server.post("/api/login", user.credentials)
        server.downgrades = login.member("is_chirpy_red") is False
        server.steps.clear()
    if not server.downgrades and not server.strict:
        raise NotApplicable("this receiver does not act on user.downgraded")
