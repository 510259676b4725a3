"""Deliver events until they are acknowledged.

As Standard Webhooks 1.0.0 says, every answer but a 2xx is a failure to retry, even a 401. The waits
double, are at least as long as `Retry-After`, and are stretched at random to spread the retries.
"""

import sys
import threading
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import chain, takewhile
from queue import SimpleQueue
from random import uniform
from time import monotonic
from typing import NamedTuple

import click

from chirpy.devtools.polka.events import Event
from chirpy.devtools.polka.receiver import Answer, Receiver

FIRST_WAIT = 0.5  # seconds
LONGEST_WAIT = 60  # seconds, even for a longer `Retry-After`: a developer is waiting
Answers = Mapping[str, Sequence[Answer]]  # by the id of the event


class Attempt(NamedTuple):
    """An attempt of a delivery, and a text for the user."""

    event: Event
    answer: Answer
    text: str
    given_up: bool  # whether it was the last one, and failed


def deliver(
    receiver: Receiver, events: Sequence[Event], attempts: int, concurrency: int
) -> Iterator[Attempt]:
    """Deliver all events; yield each attempt when it ends. Leave the loop to stop."""
    ended, stopped = SimpleQueue[Attempt | Future[None]](), threading.Event()
    numbered = enumerate(events, start=1)  # the threads share it

    def deliver_some() -> None:
        for delivery, event in takewhile(lambda _: not stopped.is_set(), numbered):
            for attempt in make_attempts(receiver, delivery, event, attempts, stopped):
                ended.put(attempt)

    with ThreadPoolExecutor(concurrency) as pool:
        try:
            # One call for each thread. Ctrl-C inside `submit` can leave the lock of the pool
            # locked, and its shutdown then waits without end.
            for _ in range(concurrency):
                pool.submit(deliver_some).add_done_callback(ended.put)
            for _ in range(concurrency):
                while isinstance(item := ended.get(), Attempt):
                    yield item
                item.result()  # raises what a delivery has raised
        finally:
            stopped.set()
            pool.shutdown(cancel_futures=True)


def make_attempts(
    receiver: Receiver, delivery: int, event: Event, attempts: int, stopped: threading.Event
) -> Iterator[Attempt]:
    """Make the attempts of a delivery until it is acknowledged, given up or stopped."""
    for number in range(1, attempts + 1):
        answer = receiver.send(event.body, event.id)
        wait = 0 if answer.acknowledged else wait_after(number, answer.retry_after)
        given_up = number == attempts and not answer.acknowledged
        then = "; given up" if given_up else f"; again in {wait:.1f} s" if wait else ""
        text = f"delivery {delivery}, attempt {number}: {answer}{then}"
        yield Attempt(event, answer, text, given_up)
        if answer.acknowledged or given_up or stopped.wait(wait):
            break


def wait_after(number: int, retry_after: float) -> float:
    """Return the seconds between the failed attempt `number` and the next."""
    wait = max(FIRST_WAIT * 2.0 ** (number - 1), retry_after)
    return min(wait, LONGEST_WAIT) * uniform(1, 1.25)


def deliver_with_progress(receiver: Receiver, events: Sequence[Event], *limits: int) -> Answers:
    """Deliver events with a progress bar and a summary; raise ClickException if one fails."""
    answers, start = defaultdict[str, list[Answer]](list), monotonic()
    with click.progressbar(length=len(events), file=sys.stderr, show_pos=True) as bar:
        for attempt in deliver(receiver, events, *limits):
            answers[attempt.event.id].append(attempt.answer)
            bar.update(attempt.answer.acknowledged)
            if attempt.given_up:
                break
    click.echo(f"{bar.pos} of {len(events)} acknowledged in {monotonic() - start:.1f} s:")
    for answer, count in Counter(map(str, chain(*answers.values()))).most_common():
        click.echo(f"{count:8} {answer}")
    if missing := len(events) - bar.pos:
        raise click.ClickException(f"Nothing was checked: {missing} deliveries have no 2xx")
    return answers
