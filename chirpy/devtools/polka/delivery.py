"""Messages delivered until they are acknowledged, however often that takes.

Standard Webhooks 1.0.0 calls every answer but 2xx a failure to be retried, and so does Polka: even
a 401 ends once the receiver is mended. The waits double from FIRST_WAIT to LONGEST_WAIT, are no
shorter than `Retry-After` asks, and are stretched at random, lest a crowd come back as one.
"""

from collections import deque
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass
from queue import SimpleQueue
from random import uniform
from threading import Event

from chirpy.devtools.polka.messages import Message
from chirpy.devtools.polka.receiver import Attempt, Line, Receiver

FIRST_WAIT = 0.5  # seconds
LONGEST_WAIT = 60  # seconds, whatever `Retry-After` asks: somebody may be watching
STRETCH = 1.25  # at most so many times the wait


@dataclass(frozen=True, slots=True)
class Sent:
    """One attempt as it is reported: the `nth` for this delivery, which is the `number`th.

    `wait` is in seconds until the next, None after the last.
    """

    number: int
    message: Message
    nth: int
    attempt: Attempt
    wait: float | None

    @property
    def given_up(self) -> bool:
        """Whether this was the last attempt and in vain."""
        return self.wait is None and not self.attempt.acknowledged


class Round:
    """Messages on their way, `concurrency` of them at a time."""

    def __init__(
        self, messages: Iterable[Message], receiver: Receiver, attempts: int, concurrency: int
    ) -> None:
        self.receiver = receiver
        self.attempts = attempts
        self.concurrency = concurrency
        self._waiting = deque(enumerate(messages, start=1))
        self._reports: SimpleQueue[Sent | None] = SimpleQueue()
        self._stopped = Event()

    def go(self) -> Generator[Sent]:
        """Deliver them all; yields every attempt, in the order in which they end.

        Close the generator to stop at once: what waits is not sent any more.
        """
        with ThreadPoolExecutor(self.concurrency) as pool:
            try:
                couriers = [pool.submit(self._carry) for _ in range(self.concurrency)]
                for _ in couriers:
                    yield from iter(self._reports.get, None)
            finally:
                self._stopped.set()
                self._waiting.clear()
        for courier in couriers:
            courier.result()  # raises what went wrong in it

    def _carry(self) -> None:
        """Deliver one message after the other, as long as there are any; for one thread."""
        try:
            with closing(Line(self.receiver)) as line:
                for number, message in self._next():
                    for sent in self._deliver(line, number, message):
                        self._reports.put(sent)
        finally:
            self._reports.put(None)

    def _next(self) -> Iterator[tuple[int, Message]]:
        """What waits, each given to one thread only."""
        with suppress(IndexError):
            while True:
                yield self._waiting.popleft()

    def _deliver(self, line: Line, number: int, message: Message) -> Iterator[Sent]:
        """Attempt to deliver one message until it is acknowledged or given up."""
        for nth in range(1, self.attempts + 1):
            attempt = line.attempt(message)
            is_last = attempt.acknowledged or nth == self.attempts
            wait = None if is_last else wait_after(nth, attempt)
            yield Sent(number, message, nth, attempt, wait)
            if wait is None:
                return
            line.close()  # or the receiver might, while we wait
            if self._stopped.wait(wait):
                return


def wait_after(nth: int, attempt: Attempt) -> float:
    """The seconds between the failed `nth` attempt and the next."""
    wait = max(FIRST_WAIT * 2.0 ** (nth - 1), attempt.retry_after)
    return min(wait, LONGEST_WAIT) * uniform(1, STRETCH)
