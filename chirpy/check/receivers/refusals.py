"""Deliveries that must be refused, and what is left of them: nothing."""

from functools import partial
from uuid import uuid4

from chirpy.check.delivering import (
    deliver,
    deliver_with,
    event,
    is_red,
    is_refused,
    new_id,
    refused,
)
from chirpy.check.outcomes import NotApplicable, needed
from chirpy.check.registry import Chapter
from chirpy.check.server import Server

REFUSALS = Chapter("Refusals", "refusals")


@REFUSALS.check("Unknown user")
def unknown_user(server: Server) -> None:
    """An event about an unknown user is a 404

    It has no effect, so it gets no 2xx. The sender tries again, perhaps when the user exists.
    """
    deliver(server, event(server, str(uuid4()))).has_status(404)


@REFUSALS.check("Unknown user")
def unknown_then_known(server: Server) -> None:
    """After that refusal, the same id with a known user has its effect

    A careful receiver records an event and applies it in one transaction. A refused event leaves
    nothing behind that would make the next attempt look like a duplicate.
    """
    user, event_id = server.sign_up(), new_id()
    with needed("an event about an unknown user must be refused"):
        refused(deliver(server, event(server, str(uuid4()), id=event_id)))
    deliver(server, event(server, user.id, id=event_id)).is_success()
    is_red(server, user)


@REFUSALS.check("Credentials")
def missing_key(server: Server) -> None:
    """A delivery without credentials is a 401 and has no effect

    Any client can send requests. Only the key proves that it is the sender.
    """
    is_refused(server, partial(deliver_with, headers={}))


@REFUSALS.check("Credentials")
def wrong_key(server: Server) -> None:
    """A wrong key is a 401 and has no effect"""
    is_refused(server, partial(deliver, key="wrong"))


@REFUSALS.check("Credentials")
def wrong_key_then_right(server: Server) -> None:
    """After that refusal, the same event with the right key has its effect

    A careful receiver looks at the credentials before everything else, and stores nothing yet.
    """
    user = server.sign_up()
    upgrade = event(server, user.id, id=new_id())
    with needed("a wrong key must be refused"):
        refused(deliver(server, upgrade, key="wrong"))
    deliver(server, upgrade).is_success()
    is_red(server, user)


@REFUSALS.check("Credentials", should=True)
def key_before_body(server: Server) -> None:
    """A wrong key is a 401 even if the body is not JSON

    Without the key, the answer must not tell what a body should be.
    """
    deliver(server, b'{"event":', key="wrong").has_status(401)


@REFUSALS.check("Credentials", should=True)
def bearer_is_no_key(server: Server) -> None:
    """The key as Bearer token is a 401

    ApiKey and Bearer are two schemes: one is for the sender, the other for users.
    """
    if server.polka.secrets:
        raise NotApplicable("these deliveries are signed")
    upgrade = event(server, server.sign_up().id)
    deliver_with(server, upgrade, {"Authorization": f"Bearer {server.polka.key}"}).has_status(401)


@REFUSALS.check("Credentials", strict=True)
def challenge(server: Server) -> None:
    """A 401 has the header WWW-Authenticate"""
    refused = deliver_with(server, event(server, str(uuid4())), {}).has_status(401)
    refused.has_header("WWW-Authenticate")
