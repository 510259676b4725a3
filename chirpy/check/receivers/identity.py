"""One id, two meanings."""

from chirpy.check.delivering import deliver, deliver_with, event, is_red, new_id
from chirpy.check.polka import Delivery, a_delivery
from chirpy.check.registry import Chapter
from chirpy.check.server import Server

IDENTITY = Chapter("Identity", "identity")


@IDENTITY.check("Same id", should=True)
def same_id_other_user(server: Server) -> None:
    """The id of an event with another user is refused, and has no effect

    An id belongs to one event. A 2xx would tell the sender that both were processed, and one of
    them was not. A careful receiver answers with an error, so that an operator sees it.
    """
    refuse_reuse(server, 400, 409, 422)


@IDENTITY.check("Same id", strict=True)
def same_id_conflict(server: Server) -> None:
    """That refusal is a 409"""
    refuse_reuse(server, 409)


@IDENTITY.check("Same id", strict=True)
def two_ids(server: Server) -> None:
    """An id in the body that is not the one in the header webhook-id is a 400"""
    user = server.sign_up()
    delivery = Delivery(a_delivery(event(server, user.id, id=new_id())).body, new_id())
    headers = server.polka.headers(delivery) | {"webhook-id": delivery.id}
    deliver_with(server, delivery, headers).has_status(400)
    is_red(server, user, False)


def refuse_reuse(server: Server, *statuses: int) -> None:
    """Deliver an event, then one with its id about another user; expect that the first counts."""
    first, second, event_id = server.sign_up(), server.sign_up(), new_id()
    deliver(server, event(server, first.id, id=event_id)).is_success()
    deliver(server, event(server, second.id, id=event_id)).has_status(*statuses)
    is_red(server, first)
    is_red(server, second, False)
