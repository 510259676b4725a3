"""A storm: many events, each delivered several times, in any order and many at once."""

import string
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import NamedTuple
from uuid import UUID

from chirpy.devtools.polka.delivery import Sent
from chirpy.devtools.polka.messages import Message, compose

TYPES = ("user.upgraded", "user.downgraded")
SIGNS = string.ascii_letters + string.digits + "-_"  # by bytes in another order than by any locale
EVENTS_A_MOMENT = 2  # of one user, on average: ties often enough to be got wrong
HOUR = 3600  # seconds, into which all events fall


@dataclass(frozen=True, slots=True)
class Planned:
    """An event that happens in a storm."""

    event_id: str
    type: str
    user_id: UUID
    occurred_at: datetime

    @property
    def rank(self) -> tuple[datetime, bytes]:
        """Its place among the events of its user: by time, then by id, byte by byte."""
        return self.occurred_at, self.event_id.encode()

    @property
    def membership(self) -> tuple[bool, datetime, str]:
        """What its user's membership is after it: red or not, as of when, by which event."""
        return self.type == "user.upgraded", self.occurred_at, self.event_id

    def message(self) -> Message:
        """What is sent of it, each time the same."""
        when = self.occurred_at.isoformat()
        return compose(self.type, str(self.user_id), self.event_id, when)


@dataclass(slots=True)
class Tally:
    """What Polka knows of one event: the outcomes it was told, the attempts it is unsure of."""

    outcomes: Counter[str] = field(default_factory=Counter)
    unsure: int = 0


@dataclass(slots=True)
class Tallies:
    """What Polka knows of each event, by its id, and of all of them together."""

    of: defaultdict[str | None, Tally] = field(default_factory=lambda: defaultdict(Tally))
    outcomes: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)

    def count(self, sent: Sent) -> None:
        """Take one attempt into account."""
        tally = self.of[sent.message.event_id]
        if sent.attempt.acknowledged:
            self.outcomes[sent.attempt.says] += 1
            tally.outcomes[sent.attempt.says] += 1
        else:
            self.failures[str(sent.attempt)] += 1
            tally.unsure += sent.attempt.unsure


class Plan(NamedTuple):
    """What happens in a storm, and what is sent of it, in the order in which it is sent."""

    events: list[Planned]
    messages: list[Message]


def plan(
    run: str, user_ids: Sequence[UUID], *, events: int, repeats: int, shuffle: bool, seed: int
) -> Plan:
    """Think of events of these users; the same seed makes the same plan of another run.

    Each event is sent `repeats` times: in one go, or anywhere among all the others.
    """
    chance = Random(seed)
    planned = happenings(run, user_ids, events, chance)
    messages = [message for event in planned for message in [event.message()] * repeats]
    if shuffle:
        chance.shuffle(messages)
    return Plan(planned, messages)


def happenings(run: str, user_ids: Sequence[UUID], events: int, chance: Random) -> list[Planned]:
    """Events within the last hour, many at the same moment as others of the same user."""
    hour_ago = datetime.now(UTC).replace(microsecond=0) - timedelta(seconds=HOUR)
    moments = min(HOUR, 1 + events // len(user_ids) // EVENTS_A_MOMENT)
    return [
        Planned(
            event_id=f"{run}-{''.join(chance.choices(SIGNS, k=12))}",
            type=chance.choice(TYPES),
            user_id=chance.choice(user_ids),
            occurred_at=hour_ago + timedelta(seconds=chance.randrange(moments)),
        )
        for _ in range(events)
    ]
