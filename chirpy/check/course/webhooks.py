"""Webhooks: Chirpy Red, and the key of the sender."""

from functools import partial
from uuid import uuid4

from chirpy.check.delivering import (
    deliver,
    deliver_with,
    event,
    is_red,
    is_refused,
    upgraded_user,
)
from chirpy.check.outcomes import needed
from chirpy.check.people import new_credentials
from chirpy.check.registry import Chapter
from chirpy.check.server import Server

WEBHOOKS = Chapter("Webhooks", "webhooks")


@WEBHOOKS.check("Chirpy Red")
def not_red_at_first(server: Server) -> None:
    """A new user is not Chirpy Red"""
    new = new_credentials()
    server.post("/api/users", new).has_status(201).has("is_chirpy_red", False)
    server.post("/api/login", new).has_status(200).has("is_chirpy_red", False)


@WEBHOOKS.check("Chirpy Red")
def upgrade(server: Server) -> None:
    """user.upgraded is a 204, and makes the user Chirpy Red

    If it is a 401, does this server have another key? Next: --polka-key KEY
    """
    user = server.sign_up()
    deliver(server, event(server, user.id)).has_status(204)
    is_red(server, user)


@WEBHOOKS.check("Chirpy Red")
def upgrade_twice(server: Server) -> None:
    """A second user.upgraded is a 204, and the user stays Chirpy Red

    Senders repeat what they are not sure of. A handler of webhooks must be idempotent.
    """
    user = upgraded_user(server)
    deliver(server, event(server, user.id)).has_status(204)
    is_red(server, user)


@WEBHOOKS.check("Chirpy Red")
def stays_red(server: Server) -> None:
    """The user is still Chirpy Red after PUT /api/users"""
    user, new = server.new_user(), new_credentials("new")
    with needed("an upgrade must be accepted"):
        deliver(server, event(server, user.id)).is_success()
    server.put("/api/users", new, user.token).has_status(200).has("is_chirpy_red", True)


@WEBHOOKS.check("Other events")
def other_event(server: Server) -> None:
    """Any other event is a 204 and has no effect"""
    user = server.sign_up()
    deliver(server, event(server, user.id, "user.payment_failed")).has_status(204)
    is_red(server, user, False)


@WEBHOOKS.check("Unknown user")
def unknown_user(server: Server) -> None:
    """user.upgraded for an unknown user is a 404"""
    deliver(server, event(server, str(uuid4()))).has_status(404)


@WEBHOOKS.check("API key")
def missing_key(server: Server) -> None:
    """A delivery without the ApiKey is a 401 and has no effect"""
    is_refused(server, partial(deliver_with, headers={}))


@WEBHOOKS.check("API key")
def wrong_key(server: Server) -> None:
    """A delivery with a wrong ApiKey is a 401 and has no effect"""
    is_refused(server, partial(deliver, key="wrong"))
