"""The same event more than once."""

from chirpy.check.delivering import (
    DOWNGRADED,
    deliver,
    event,
    is_red,
    minutes_ago,
    needs_downgrades,
    new_id,
    upgraded_user,
)
from chirpy.check.registry import Chapter
from chirpy.check.server import Server

REPEATS = Chapter("Repeats", "repeats")


@REPEATS.check("Acknowledge")
def effect_before_answer(server: Server) -> None:
    """A 2xx comes after the effect

    A careful receiver commits, then answers. After a 2xx the sender forgets the event, so a
    lost one never comes again.
    """
    user = server.sign_up()
    deliver(server, event(server, user.id)).is_success()
    is_red(server, user)


@REPEATS.check("Idempotent")
def same_event(server: Server) -> None:
    """The course's event three times: each a 2xx, and the user is red

    The sender repeats what it got no answer to. A careful receiver sets a state (red) instead of
    changing to the opposite, and acknowledges each delivery: an error would only bring more.
    """
    user = server.sign_up()
    for _ in range(3):
        deliver(server, event(server, user.id)).is_success()
        is_red(server, user)


@REPEATS.check("Idempotent")
def same_id(server: Server) -> None:
    """An event with id and time three times: each a 2xx, and the user is red

    More keys than the course has do not make it another event, or an invalid one.
    """
    user = server.sign_up()
    upgrade = event(server, user.id, id=new_id(), timestamp=minutes_ago(1))
    for _ in range(3):
        deliver(server, upgrade).is_success()
        is_red(server, user)


@REPEATS.check("Idempotent", should=True)
def repeat_after_other_event(server: Server) -> None:
    """An old event that arrives again does not undo a newer one

    Upgrade, downgrade, and the upgrade once more, with its id: a careful receiver has stored the
    ids of all events, under a unique constraint, and skips the effect of a known one.
    """
    needs_downgrades(server)
    user = server.sign_up()
    upgrade = event(server, user.id, id=new_id())
    deliver(server, upgrade).is_success()
    deliver(server, event(server, user.id, DOWNGRADED, id=new_id())).is_success()
    deliver(server, upgrade).is_success()
    is_red(server, user, False)


@REPEATS.check("Idempotent", should=True)
def equal_is_not_the_same(server: Server) -> None:
    """Without id and time, an equal event later is a new one

    Upgrade, downgrade, upgrade: the third is not a repeat of the first. A receiver that makes a key
    of the body loses it.
    """
    needs_downgrades(server)
    user = upgraded_user(server)
    deliver(server, event(server, user.id, DOWNGRADED)).is_success()
    is_red(server, user, False)
    deliver(server, event(server, user.id)).is_success()
    is_red(server, user)


@REPEATS.check("Outcome", strict=True)
def outcomes(server: Server) -> None:
    """The header Webhook-Outcome says applied, duplicate, ignored"""
    user = server.sign_up()
    upgrade = event(server, user.id, id=new_id(), timestamp=minutes_ago(1))
    other = event(server, user.id, "user.renamed", id=new_id())
    for content, outcome in ((upgrade, "applied"), (upgrade, "duplicate"), (other, "ignored")):
        deliver(server, content).has_status(204).has_header("Webhook-Outcome", outcome)
