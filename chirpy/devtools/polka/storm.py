"""Plan the events of a storm, deliver them, and compare what they left with the plan."""

import string
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import chain
from random import Random
from secrets import token_hex
from time import monotonic
from typing import Any, NamedTuple

import click

from chirpy.devtools.polka.delivery import deliver
from chirpy.devtools.polka.receiver import Answer, Message, Receiver, compose

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
    user_ids: Sequence[str], *, events: int, repeats: int, shuffle: bool, mixed: bool, seed: int
) -> tuple[list[StormEvent], list[Message]]:
    """Plan events within the last hour, and their deliveries. A seed always gives the same plan.

    Unless `mixed`, all events of one user have one type.
    """
    run, chance = f"storm-{token_hex(4)}", Random(seed)
    start = datetime.now(UTC).replace(microsecond=0) - timedelta(seconds=HOUR)
    seconds = min(HOUR, 1 + events // len(user_ids) // PER_SECOND)
    planned = []
    for user in chance.choices(range(len(user_ids)), k=events):
        occurred_at = start + timedelta(seconds=chance.randrange(seconds))
        event_id = f"{run}-{''.join(chance.choices(ID_CHARACTERS, k=12))}"
        is_upgrade = chance.randrange(2) if mixed else user % 2
        planned.append(StormEvent(user_ids[user], occurred_at, event_id, bool(is_upgrade)))
    messages = [event.message() for event in planned for _ in range(repeats)]
    if shuffle:
        chance.shuffle(messages)
    return planned, messages


def deliver_all(receiver: Receiver, messages: Sequence[Message], **limits: int) -> Answers:
    """Deliver messages with a progress bar and a summary; raise ClickException if one fails."""
    answers, start = defaultdict[str, list[Answer]](list), monotonic()
    progress = click.progressbar(
        length=len(messages),
        file=sys.stderr,
        show_pos=True,
        item_show_func=lambda failure: failure,
        update_min_steps=0,  # so that a failure, which is no step, is shown
    )
    with closing(deliver(receiver, messages, **limits)) as attempts, progress as bar:
        for attempt in attempts:
            answer = attempt.answer
            answers[attempt.message.id].append(answer)
            bar.update(int(answer.acknowledged), "" if answer.acknowledged else str(answer))
            if attempt.given_up:
                break
    seconds = monotonic() - start
    click.echo(f"{bar.pos} of {len(messages)} deliveries acknowledged in {seconds:.1f} s:")
    for text, count in Counter(map(str, chain(*answers.values()))).most_common():
        click.echo(f"{count:8} {text}")
    if missing := len(messages) - bar.pos:
        raise click.ClickException(f"Nothing was checked: {missing} deliveries have no 2xx")
    return answers


def differences(found: Mapping[str, Sequence[Row]], due: Mapping[str, set[Row]]) -> Iterator[str]:
    """Yield each name that has not exactly one of the rows due, or has rows and none is due."""
    for name in dict.fromkeys([*due, *found]):
        rows, choice = found.get(name, ()), due.get(name, set())
        if len(rows) != bool(choice) or not choice.issuperset(rows):
            yield f"{name}: {in_words(rows)} instead of {in_words(choice)}"


def in_words(rows: Iterable[Row]) -> str:
    """Return rows as text."""
    return " or ".join(" ".join(map(str, row)) for row in rows) or "nothing"
