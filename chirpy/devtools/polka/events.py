"""Write events, and plan those of a storm."""

import json
import string
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from secrets import token_hex
from typing import Any, NamedTuple

DOWNGRADED, UPGRADED = TYPES = ("user.downgraded", "user.upgraded")
ID_CHARACTERS = string.ascii_letters + string.digits + "-_"  # no locale sorts them by bytes
SECONDS = 5  # of the timestamps; so few that many events of one user have the same


class Event(NamedTuple):
    """An event. In a storm, the greatest of a user is the last: by time, then by id in bytes."""

    user_id: str
    timestamp: str  # ISO 8601; empty to send none
    id: str  # empty to send none
    type: str
    data: Any  # any JSON; the members of an object are added to the user's id

    @property
    def body(self) -> bytes:
        """What each delivery of the event sends."""
        data = {"user_id": self.user_id} | self.data if isinstance(self.data, dict) else self.data
        content = {"id": self.id, "timestamp": self.timestamp, "event": self.type, "data": data}
        return json.dumps({name: value for name, value in content.items() if value != ""}).encode()


def plan_storm(
    user_ids: Sequence[str], *, events: int, repeats: int, shuffle: bool, mixed: bool, seed: int
) -> tuple[list[Event], list[Event]]:
    """Plan events and deliveries. A seed repeats a plan; unless `mixed`, a user has one type."""
    run, chance = token_hex(4), Random(seed)
    now = datetime.now(UTC).replace(microsecond=0)
    planned = []
    for user in chance.choices(range(len(user_ids)), k=events):
        timestamp = (now - timedelta(seconds=chance.randrange(SECONDS))).isoformat()
        event_id = f"storm-{run}-{''.join(chance.choices(ID_CHARACTERS, k=12))}"
        kind = TYPES[chance.randrange(2) if mixed else user % 2]
        planned.append(Event(user_ids[user], timestamp, event_id, kind, {}))
    deliveries = [event for event in planned for _ in range(repeats)]
    if shuffle:
        chance.shuffle(deliveries)
    return planned, deliveries
