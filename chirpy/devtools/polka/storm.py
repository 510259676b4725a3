"""Run a storm: make users, deliver events, and check what they left."""

import sys
from collections import Counter, defaultdict
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import chain
from random import Random
from secrets import token_hex

import click

from chirpy.devtools.polka.database_judge import DatabaseJudge
from chirpy.devtools.polka.delivery import deliver
from chirpy.devtools.polka.http_judge import HttpJudge
from chirpy.devtools.polka.plan import plan
from chirpy.devtools.polka.receiver import Answer, Message, Receiver

SHOWN = 10  # differences; more are rarely of another kind


@dataclass(frozen=True, slots=True)
class Storm:
    """A storm as its options describe it."""

    receiver: Receiver
    users: int
    events: int
    repeats: int
    shuffle: bool
    mixed: bool
    seed: int
    attempts: int
    concurrency: int

    def run(self, judge: DatabaseJudge | HttpJudge) -> bool:
        """Run the storm and print the result; return whether there are differences."""
        name, chance = f"storm-{token_hex(4)}", Random(self.seed)
        emails = [f"{name}-{number}@polka.example" for number in range(1, self.users + 1)]
        with judge.users(emails) as user_ids:
            events = list(plan(name, user_ids, self.events, self.mixed, chance))
            messages = [event.message() for event in events for _ in range(self.repeats)]
            if self.shuffle:
                chance.shuffle(messages)
            signed = "signed" if self.receiver.signing_key else "not signed"
            amount = f"{len(events)} events in {len(messages)} deliveries, {signed}"
            click.echo(f"{name}: {amount}, to {self.receiver.url} (--seed {self.seed})")
            answers = self.deliver(messages)
            if missing := print_summary([*chain(*answers.values())], len(messages)):
                found = [f"{missing} deliveries without a 2xx, so nothing else was checked"]
            else:
                found = list(judge.differences(events, answers))
        click.echo(
            "\n  ".join([f"{len(found) or 'no'} differences in {judge.scope}", *found[:SHOWN]])
        )
        return bool(found)

    def deliver(self, messages: Sequence[Message]) -> dict[str, list[Answer]]:
        """Deliver messages until one is given up; show the progress and the latest failure."""
        answers: dict[str, list[Answer]] = defaultdict(list)
        limits = {"attempts": self.attempts, "concurrency": self.concurrency}
        progress = click.progressbar(
            length=len(messages),
            file=sys.stderr,
            show_pos=True,
            item_show_func=lambda failure: failure,
            update_min_steps=0,  # so that a failure, which is no step, is shown
        )
        with closing(deliver(self.receiver, messages, **limits)) as attempts, progress as bar:
            for attempt in attempts:
                answer = attempt.answer
                answers[attempt.message.id].append(answer)
                bar.update(int(answer.acknowledged), "" if answer.acknowledged else str(answer))
                if attempt.given_up:
                    break
        return answers


def print_summary(answers: Sequence[Answer], deliveries: int) -> int:
    """Print all answers, counted; return how many deliveries were not acknowledged."""
    acknowledged = sum(answer.acknowledged for answer in answers)
    click.echo(
        f"{acknowledged} of {deliveries} deliveries acknowledged in {len(answers)} attempts:"
    )
    for answer, count in Counter(map(str, answers)).most_common():
        click.echo(f"{count:8} {answer}")
    return deliveries - acknowledged
