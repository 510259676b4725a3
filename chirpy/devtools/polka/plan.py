"""Plan the events of a storm, and compare what they should leave with what they left."""

import string
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, NamedTuple

from chirpy.devtools.polka.receiver import Answer, Message, compose

TYPES = ("user.downgraded", "user.upgraded")
ID_CHARACTERS = string.ascii_letters + string.digits + "-_"  # bytes sort them as no locale does
HOUR = 3600  # seconds
PER_SECOND = 2  # events of one user, on average, so that many have the same timestamp

Answers = Mapping[str, Sequence[Answer]]  # by the id of the event
Row = tuple[Any, ...]


class StormEvent(NamedTuple):
    """An event of a storm. The greatest of a user is the last: by time, then by id in bytes."""

    user_id: str
    occurred_at: datetime
    id: str
    is_upgrade: bool

    def message(self) -> Message:
        """Return what all deliveries of the event send."""
        return compose(TYPES[self.is_upgrade], self.user_id, self.id, self.occurred_at.isoformat())


def plan(
    run: str, user_ids: Sequence[str], events: int, mixed: bool, chance: Random
) -> Iterator[StormEvent]:
    """Plan events within the last hour; unless `mixed`, all events of one user have one type."""
    start = datetime.now(UTC).replace(microsecond=0) - timedelta(seconds=HOUR)
    seconds = min(HOUR, 1 + events // len(user_ids) // PER_SECOND)
    for user in chance.choices(range(len(user_ids)), k=events):
        occurred_at = start + timedelta(seconds=chance.randrange(seconds))
        event_id = f"{run}-{''.join(chance.choices(ID_CHARACTERS, k=12))}"
        is_upgrade = chance.randrange(2) if mixed else user % 2
        yield StormEvent(user_ids[user], occurred_at, event_id, bool(is_upgrade))


def differences(found: Mapping[str, Sequence[Row]], due: Mapping[str, set[Row]]) -> Iterator[str]:
    """Yield each name that has not exactly one of the rows due, or has rows and none is due."""
    for name in dict.fromkeys([*due, *found]):
        rows, choice = found.get(name, ()), due.get(name, set())
        if len(rows) != bool(choice) or not choice.issuperset(rows):
            yield f"{name}: {in_words(rows)} instead of {in_words(choice)}"


def in_words(rows: Collection[Row]) -> str:
    """Return rows as text."""
    return " or ".join(" ".join(map(str, row)) for row in rows) or "nothing"
