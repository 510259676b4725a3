"""The load generator for machines without wrk: raw sockets that are kept open, no thread.

    python -m benchmarks.generator URL SECONDS CONNECTIONS DECK MARK RUN

It prints the same line of JSON as `wrk.lua` does.
"""

import json
import selectors
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from time import perf_counter
from urllib.parse import urlsplit

from benchmarks.conversation import PATIENCE, Conversation
from benchmarks.measures import percentile

PROCESSES = 2  # a load generator that takes more leaves the server too little
TICK = 0.1  # seconds between looks at the clock when nothing arrives
MOST = 1_000_000  # requests of one process: their latencies are kept in memory


@dataclass
class Counts:
    """What one process has seen. Latencies in seconds."""

    statuses: Counter[str] = field(default_factory=Counter)
    latencies: list[float] = field(default_factory=list)
    broken: int = 0
    seconds: float = 0.0

    def add(self, other: "Counts") -> None:
        """Take in what another process has seen."""
        self.statuses += other.statuses
        self.latencies += other.latencies
        self.broken += other.broken
        self.seconds = max(self.seconds, other.seconds)

    def told(self, connections: int) -> str:
        """The same as one line of JSON, as the harness reads it."""
        interval = self.seconds * connections / max(1, len(self.latencies))
        latencies = sorted(with_omitted(self.latencies, interval))
        measure = {
            "seconds": self.seconds,
            "p50_ms": 1000 * percentile(latencies, 50),
            "p99_ms": 1000 * percentile(latencies, 99),
            "broken": self.broken,
            "statuses": self.statuses,
        }
        return json.dumps(measure)


def with_omitted(latencies: Sequence[float], interval: float) -> Iterator[float]:
    """What those would have waited who were not sent while an answer kept its connection waiting.

    A client that asks every `interval` would have asked then too. wrk 4.1 counts the same way.
    """
    for latency in latencies:
        yield latency
        while latency > 2 * interval:
            latency -= interval  # noqa: PLW2901 - the next one has waited so much less
            yield latency


@dataclass(frozen=True)
class Asks:
    """A deck of requests, dealt round and round; `mark` is replaced by what came never before."""

    deck: Sequence[bytes]
    mark: bytes
    run: bytes

    def of(self, number: int) -> Iterator[bytes]:
        """The requests of process `number`, without end."""
        start = number * (len(self.deck) // PROCESSES)  # each in another part of the deck
        width = len(self.mark) - len(self.run) - 2  # no Content-Length changes
        for sent in count():
            unique = b"%b%02d%0*d" % (self.run, number, width, sent)
            yield self.deck[(start + sent) % len(self.deck)].replace(self.mark, unique)


class Company:
    """The connections of one process, each with a request under way."""

    def __init__(self, address: tuple[str, int], asks: Iterator[bytes]) -> None:
        self.address = address
        self.asks = asks
        self.counts = Counts()
        self.selector = selectors.DefaultSelector()

    def keep_busy(self, connections: int, seconds: float) -> Counts:
        """Ask for some seconds; a connection that was silent for its latter half is broken."""
        began = perf_counter()
        for _ in range(connections):
            self.begin()
        while perf_counter() < began + seconds and len(self.counts.latencies) < MOST:
            for key, _ in self.selector.select(TICK):
                self.go_on(key.data)
        self.counts.seconds = perf_counter() - began
        for key in list(self.selector.get_map().values()):
            self.counts.broken += perf_counter() - key.data.asked_at > min(
                PATIENCE, max(1, seconds / 2)
            )
            self.end(key.data)
        self.selector.close()
        return self.counts

    def begin(self) -> None:
        """Open a connection and ask."""
        conversation = Conversation(self.address)
        self.selector.register(conversation.socket, selectors.EVENT_READ, conversation)
        conversation.ask(next(self.asks))

    def go_on(self, conversation: Conversation) -> None:
        """Hear, and ask again; a connection that breaks is replaced."""
        try:
            if status := conversation.hear():
                self.counts.latencies.append(perf_counter() - conversation.asked_at)
                self.counts.statuses[status] += 1
                conversation.ask(next(self.asks))
        except OSError:
            self.counts.broken += 1
            self.end(conversation)
            self.begin()

    def end(self, conversation: Conversation) -> None:
        """Hang up."""
        self.selector.unregister(conversation.socket)
        conversation.socket.close()


def share(connections: int, number: int) -> int:
    """How many of the connections process `number` keeps."""
    return connections // PROCESSES + (number < connections % PROCESSES)


def work(url: str, seconds: float, connections: int, asks: Asks, number: int) -> Counts:
    """What process `number` sees."""
    place = urlsplit(url)
    company = Company((str(place.hostname), place.port or 80), asks.of(number))
    return company.keep_busy(share(connections, number), seconds)


def main(url: str, seconds: str, connections: str, deck: str, mark: str, run: str) -> None:
    """Deal the deck from several processes, and print what all of them have seen."""
    asks = Asks(Path(deck).read_bytes().split(b"\0"), mark.encode(), run.encode())
    processes = min(PROCESSES, int(connections))
    parts = [(url, float(seconds), int(connections), asks, number) for number in range(processes)]
    seen = Counts()
    try:
        with ProcessPoolExecutor(processes) as pool:  # ends its processes; a Pool kills them
            for counts in pool.map(work, *zip(*parts, strict=True)):
                seen.add(counts)
    except OSError as error:
        sys.exit(f"{url} does not answer: {error}")
    print(seen.told(int(connections)))  # noqa: T201 - read by the harness


if __name__ == "__main__":
    main(*sys.argv[1:])
