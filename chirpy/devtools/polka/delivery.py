"""Deliver messages until they are acknowledged.

As Standard Webhooks 1.0.0 says, every answer but a 2xx is a failure to retry, even a 401. The waits
double, are at least as long as `Retry-After`, and are stretched at random to spread the retries.
"""

from collections.abc import Generator, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from queue import SimpleQueue
from random import uniform
from threading import Event
from typing import NamedTuple

from chirpy.devtools.polka.receiver import Answer, Message, Receiver

FIRST_WAIT = 0.5  # seconds
LONGEST_WAIT = 60  # seconds, even for a longer `Retry-After`: a developer is waiting
STRETCH = 1.25  # the greatest factor of a wait


class Attempt(NamedTuple):
    """An attempt of a delivery; `wait` is in seconds until the next, 0 after the last."""

    delivery: int
    message: Message
    number: int
    answer: Answer
    wait: float

    def __str__(self) -> str:
        then = f"; again in {self.wait:.1f} s" if self.wait else "; given up" * self.given_up
        return f"delivery {self.delivery}, attempt {self.number}: {self.answer}{then}"

    @property
    def given_up(self) -> bool:
        """Whether the last attempt has failed."""
        return not (self.wait or self.answer.acknowledged)


Waiting = SimpleQueue[tuple[int, Message] | None]
Ended = SimpleQueue[Attempt | None]


def deliver(
    receiver: Receiver, messages: Iterable[Message], *, attempts: int, concurrency: int
) -> Generator[Attempt]:
    """Deliver all messages; yield each attempt when it ends. Close the generator to stop."""
    waiting, ended, stopped = Waiting(), Ended(), Event()
    for item in (*enumerate(messages, start=1), *[None] * concurrency):
        waiting.put(item)
    with ThreadPoolExecutor(concurrency) as pool:
        shared = receiver, attempts, waiting, ended, stopped
        workers = [pool.submit(work, *shared) for _ in range(concurrency)]
        try:
            for worker in workers:
                worker.add_done_callback(lambda _: ended.put(None))
                yield from iter(ended.get, None)
        finally:
            stopped.set()
    for worker in workers:
        worker.result()  # raises what the worker has raised


def work(receiver: Receiver, attempts: int, waiting: Waiting, ended: Ended, stopped: Event) -> None:
    """Deliver one message after the other over one connection."""
    with closing(receiver.connect()) as connection:
        for delivery, message in iter(waiting.get, None):
            wait = 0.0
            for number in range(1, attempts + 1):
                if stopped.wait(wait):
                    return
                answer = receiver.send(message, connection)
                is_last = answer.acknowledged or number == attempts
                wait = 0 if is_last else wait_after(number, answer.retry_after)
                ended.put(Attempt(delivery, message, number, answer, wait))
                if is_last:
                    break
                connection.close()  # or the receiver might, during the wait


def wait_after(number: int, retry_after: float) -> float:
    """Return the seconds between the failed attempt `number` and the next."""
    wait = max(FIRST_WAIT * 2.0 ** (number - 1), retry_after)
    return min(wait, LONGEST_WAIT) * uniform(1, STRETCH)
