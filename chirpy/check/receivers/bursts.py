"""Deliveries at the same moment."""

from chirpy.check.answers import Answer
from chirpy.check.delivering import (
    DOWNGRADED,
    event,
    is_red,
    minutes_ago,
    needs_downgrades,
    new_id,
    request,
)
from chirpy.check.polka import a_delivery
from chirpy.check.registry import Chapter
from chirpy.check.server import Server

BURSTS = Chapter("Bursts", "bursts")
SIZE = 8  # deliveries; an even number, so that a change to the opposite would show


@BURSTS.check("Equal deliveries")
def equal_deliveries(server: Server) -> None:
    """Eight equal deliveries at the same moment: no error, and the user is red

    Between a SELECT that finds nothing and an INSERT, another delivery does the same. A careful
    receiver lets a unique constraint decide. A 503 is fine if it is short of something: the sender
    repeats that delivery.
    """
    user = server.sign_up()
    upgrade = a_delivery(event(server, user.id, id=new_id(), timestamp=minutes_ago(1)))
    acknowledged(server.burst([request(server, upgrade)] * SIZE))
    is_red(server, user)


@BURSTS.check("Equal deliveries")
def equal_course_events(server: Server) -> None:
    """Eight deliveries of the course's event at the same moment: the user is red"""
    user = server.sign_up()
    acknowledged(server.burst([request(server, a_delivery(event(server, user.id)))] * SIZE))
    is_red(server, user)


@BURSTS.check("Different events", should=True)
def newest_event_counts(server: Server) -> None:
    """Upgrades and older downgrades at the same moment: the newest event counts

    Arrival decides nothing. A careful receiver compares and changes in one statement.
    """
    needs_downgrades(server)
    user = server.sign_up()
    upgrade = event(server, user.id, id=new_id(), timestamp=minutes_ago(1))
    downgrade = event(server, user.id, DOWNGRADED, id=new_id(), timestamp=minutes_ago(2))
    both = [request(server, a_delivery(content)) for content in (upgrade, downgrade)]
    acknowledged(server.burst(both * (SIZE // 2)))
    is_red(server, user)


def acknowledged(answers: list[Answer]) -> None:
    """Expect that every delivery is a 2xx or a 503, and one at least is a 2xx."""
    for answer in answers:
        is_fine = 200 <= answer.status < 300 or answer.status == 503
        answer.expect(is_fine, "status 2xx, or 503 to be tried again")
    answers[0].expect(any(answer.status < 300 for answer in answers), "a 2xx for one of them")
