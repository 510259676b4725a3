"""What the commands print."""

import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice

import click

from chirpy.devtools.polka.delivery import Sent
from chirpy.devtools.polka.receiver import Receiver
from chirpy.devtools.polka.storm import Plan, Tallies

SHOWN = 10  # differences; further ones are seldom of another kind


def line(sent: Sent) -> str:
    """One attempt: which, what came of it, what follows."""
    then = "" if sent.attempt.acknowledged else "; given up"
    if sent.wait is not None:
        then = f"; again in {sent.wait:.1f} s"
    return f"delivery {sent.number}, attempt {sent.nth}: {sent.attempt}{then}"


def headline(run: str, plan: Plan, receiver: Receiver, seed: int) -> str:
    """What a storm is about to do, and the seed that plans it again."""
    signed = "signed" if receiver.signing_key else "not signed"
    amount = f"{len(plan.events)} events in {len(plan.messages)} deliveries, {signed}"
    return f"{run}: {amount}, to {receiver.url} (--seed {seed})"


@contextmanager
def progress(deliveries: int) -> Iterator[Callable[[Sent], None]]:
    """A bar on stderr that also shows the latest failure; yields what moves it on."""

    def trouble(sent: Sent | None) -> str:
        return "" if sent is None or sent.attempt.acknowledged else str(sent.attempt)

    with click.progressbar(
        length=deliveries,
        file=sys.stderr,
        item_show_func=trouble,
        show_pos=True,
        update_min_steps=0,  # so that a failure shows, which is no step
    ) as bar:
        yield lambda sent: bar.update(int(sent.attempt.acknowledged), sent)


def summary(tallies: Tallies, deliveries: int, seconds: float) -> Iterator[str]:
    """What Polka has seen of a storm that took so many seconds."""
    acknowledged, failed = tallies.outcomes.total(), tallies.failures.total()
    rate = f"{seconds:.1f} s, {acknowledged / seconds:.0f} a second"
    yield f"acknowledged  {acknowledged} of {deliveries} deliveries in {rate}"
    yield f"attempts      {acknowledged + failed}"
    yield f"outcomes      {listed(tallies.outcomes)}"
    yield f"failures      {listed(tallies.failures)}"


def listed(counter: Counter[str]) -> str:
    """`3 of this, 2 of that`, the most frequent first."""
    return ", ".join(f"{count} {word}" for word, count in counter.most_common()) or "none"


def verdict(problems: Iterable[str]) -> bool:
    """Print the first differences, or that there are none; returns whether there are none."""
    found = list(problems)
    if not found:
        click.echo("nothing lost, nothing twice")
        return True
    click.echo(f"differences: {len(found)}")
    for problem in islice(found, SHOWN):
        click.echo(f"  {problem}")
    return False
