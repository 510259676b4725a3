"""Events with times, in any order of arrival."""

from chirpy.check.delivering import (
    DOWNGRADED,
    UPGRADED,
    deliver,
    event,
    is_red,
    minutes_ago,
    needs_downgrades,
    new_id,
)
from chirpy.check.people import User
from chirpy.check.registry import Chapter
from chirpy.check.server import Server

ORDER = Chapter("Order", "order")


@ORDER.check("In order", should=True)
def in_order(server: Server) -> None:
    """Upgrade, downgrade, upgrade in their order: each has its effect

    The later event counts, so a careful receiver stores since when the user is what they are.
    """
    needs_downgrades(server)
    user = server.sign_up()
    for minutes, kind in ((3, UPGRADED), (2, DOWNGRADED), (1, UPGRADED)):
        deliver_dated(server, user, kind, minutes)
        is_red(server, user, kind == UPGRADED)


@ORDER.check("Out of order", should=True)
def late_upgrade(server: Server) -> None:
    """A late upgrade does not undo a newer downgrade

    Deliveries overtake each other. A careful receiver compares the time of the event with the one
    that it has stored, in one statement, and still answers 2xx: the sender did nothing wrong.
    """
    needs_downgrades(server)
    user = server.sign_up()
    deliver_dated(server, user, UPGRADED, 3)
    deliver_dated(server, user, DOWNGRADED, 1)
    deliver_dated(server, user, UPGRADED, 2)
    is_red(server, user, False)


@ORDER.check("Out of order", should=True)
def late_downgrade(server: Server) -> None:
    """A late downgrade does not undo a newer upgrade"""
    needs_downgrades(server)
    user = server.sign_up()
    deliver_dated(server, user, UPGRADED, 1)
    deliver_dated(server, user, DOWNGRADED, 2)
    is_red(server, user)


@ORDER.check("Times", strict=True)
def impossible_times(server: Server) -> None:
    """A time without a zone, or an hour ahead, is a 400"""
    user = server.sign_up()
    for timestamp in ("2026-01-31T12:00:00", "yesterday", minutes_ago(-60)):
        deliver(server, event(server, user.id, timestamp=timestamp)).has_status(400)
    is_red(server, user, False)


def deliver_dated(server: Server, user: User, kind: str, minutes: float) -> None:
    """Deliver an event that happened some minutes ago, and expect a 2xx."""
    dated = event(server, user.id, kind, id=new_id(), timestamp=minutes_ago(minutes))
    deliver(server, dated).is_success()
