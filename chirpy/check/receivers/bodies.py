"""Bodies that cannot be right, and bodies that are right with more in them."""

from collections.abc import Iterator
from typing import Any

from chirpy.check.answers import Answer
from chirpy.check.delivering import UPGRADED, deliver, event, is_red, refused
from chirpy.check.registry import Chapter
from chirpy.check.server import Server

BODIES = Chapter("Bodies", "bodies")
NOT_JSON = (b'{"event": "user.upgraded", "data"', b"event=user.upgraded")
NOT_EVENTS = (b"", b"[]", b"null", b'"user.upgraded"', b"{}")
WRONG_IDS: tuple[Any, ...] = (None, 7, "", "walt", [], {})


@BODIES.check("Wrong bodies")
def not_json(server: Server) -> None:
    """A body that is not JSON never gets a 2xx

    A 2xx says that the event is done. A careful receiver says it of nothing that it cannot read:
    the body may be half of an event, cut on its way.
    """
    for body in NOT_JSON:
        refused(deliver(server, body))


@BODIES.check("Wrong bodies", should=True)
def not_an_event(server: Server) -> None:
    """An empty body, or JSON that is not an event, never gets a 2xx

    Without a type it is not an event of another type: something is wrong at the sender.
    """
    for body in NOT_EVENTS:
        refused(deliver(server, body))


@BODIES.check("Wrong bodies")
def upgrade_of_nobody(server: Server) -> None:
    """user.upgraded without a user's id never gets a 2xx"""
    for answer in upgrades_of_nobody(server):
        refused(answer)


@BODIES.check("Wrong bodies", should=True)
def wrong_body_is_the_senders_fault(server: Server) -> None:
    """Such bodies never get a 5xx

    4xx means that the request is wrong, 5xx that the server is. A 5xx for a body that never becomes
    right wakes up the wrong people.
    """
    for body in NOT_JSON + NOT_EVENTS:
        no_server_error(deliver(server, body))
    for answer in upgrades_of_nobody(server):
        no_server_error(answer)


@BODIES.check("The sender's shape")
def unknown_keys(server: Server) -> None:
    """Keys that the receiver does not know are no error

    The sender decides what an event looks like, and adds to it without asking.
    """
    user = server.sign_up()
    upgrade = event(server, user.id, api_version=3, livemode=False)
    upgrade["data"] |= {"plan": "gold", "price": {"amount": 5}}
    deliver(server, upgrade).is_success()
    is_red(server, user)


@BODIES.check("The sender's shape")
def other_event(server: Server) -> None:
    """An event of another type is a 2xx and has no effect

    The sender has more types than this receiver needs. An error would make it repeat them.
    """
    user = server.sign_up()
    deliver(server, event(server, user.id, "user.payment_failed")).is_success()
    is_red(server, user, False)


@BODIES.check("The sender's shape", should=True)
def other_event_of_any_shape(server: Server) -> None:
    """An event of another type may have any data"""
    deliver(server, {"event": "invoice.sent", "data": {"amount": 5}}).is_success()


def upgrades_of_nobody(server: Server) -> Iterator[Answer]:
    """Deliver upgrades whose user's id is missing or wrong."""
    yield deliver(server, {"event": UPGRADED})
    yield deliver(server, {"event": UPGRADED, "data": {}})
    for user_id in WRONG_IDS:
        data = {server.spell("user_id"): user_id}
        yield deliver(server, {"event": UPGRADED, "data": data})


def no_server_error(answer: Answer) -> None:
    """Expect an answer that is no 5xx."""
    answer.expect(0 < answer.status < 500, "a status below 500, such as 400")
