"""All checks in the order in which they run, and which of them are wanted."""

from collections.abc import Iterable
from itertools import chain

from chirpy.check.course import (
    chirps,
    deleting,
    lists,
    tokens,
    users,
    validation,
    webhooks,
    website,
)
from chirpy.check.receivers import bodies, bursts, identity, order, refusals, repeats, signatures
from chirpy.check.registry import Chapter, Check
from chirpy.check.strict import accounts, api, feed, sessions

# In the order of the course. Those that reset the server come first: the others keep their users.
COURSE = (
    website.SERVERS,
    website.ROUTING,
    validation.JSON,
    users.STORAGE,
    chirps.STORAGE,
    lists.STORAGE,
    users.AUTHENTICATION,
    tokens.AUTHENTICATION,
    users.AUTHORIZATION,
    deleting.AUTHORIZATION,
    webhooks.WEBHOOKS,
    lists.DOCUMENTATION,
    api.BEYOND,
    accounts.BEYOND,
    sessions.BEYOND,
    feed.BEYOND,
)
RECEIVERS = (
    repeats.REPEATS,
    order.ORDER,
    identity.IDENTITY,
    refusals.REFUSALS,
    bodies.BODIES,
    bursts.BURSTS,
    signatures.SIGNATURES,
)


def select(
    chapters: Iterable[Chapter], only: Iterable[str], *, camel: bool, strict: bool
) -> list[Check]:
    """Return the checks of these topics, or of all if none is named."""
    wanted = {*only}
    return [
        check
        for check in chain.from_iterable(chapter.checks for chapter in chapters)
        if (strict or not check.strict)
        and not (camel and check.go_only)
        and (not wanted or check.topic in wanted or check.chapter.lower() in wanted)
    ]


def topics(chapters: Iterable[Chapter]) -> list[str]:
    """Return the words that choose checks: topics, and chapters in lower case."""
    return list(dict.fromkeys(w for c in chapters for w in (c.topic, c.name.lower())))
