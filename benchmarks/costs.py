"""What one request costs when no other is under way, and how that grows."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from secrets import token_hex
from statistics import median
from time import perf_counter
from typing import NamedTuple, Self

import psycopg2

from benchmarks import bare
from benchmarks.asking import UNIQUE, Ask
from benchmarks.cases import Case, Deck
from benchmarks.failures import BenchmarkFailed
from benchmarks.house import House
from benchmarks.scene import Scene

WARM_UP = 50  # requests that are not counted
COUNTED = 500


@dataclass(frozen=True)
class Cost:
    """The median of one request, and of its SQL alone, at each size."""

    case: str
    of: str
    sizes: Sequence[int]
    request_ms: Sequence[float]
    sql_ms: Sequence[float]


@dataclass(frozen=True)
class Growth:
    """All that was measured."""

    date: str
    machine: Mapping[str, str]
    costs: Sequence[Cost]

    @classmethod
    def load(cls, file: Path) -> Self:
        """Read what was saved."""
        kept = json.loads(file.read_text())
        return cls(kept["date"], kept["machine"], [Cost(**cost) for cost in kept["costs"]])


class Way(NamedTuple):
    """One way to have the same done, and with which requests."""

    ask: Callable[[Ask], None]
    deck: Deck


def by_chirpy(scene: Scene, case: Case) -> Way:
    """One request after the other; each must be answered as it should be."""

    def ask(request: Ask) -> None:
        told = scene.caller.ask(request)
        if told.status != case.status:
            raise BenchmarkFailed(f"{case.name}: {told.status} {told.text}")

    return Way(ask, case.deck(scene))


@contextmanager
def by_sql(house: House, statements: Sequence[str], deck: Deck) -> Iterator[Way]:
    """The same SQL without Chirpy."""
    with closing(psycopg2.connect(house.database)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:

            def ask(request: Ask) -> None:
                values = dict(request.speaks_of)
                for sql in statements:
                    bare.rows_of(cursor, sql, values)

            yield Way(ask, deck)


def usual_ms(ways: Sequence[Way]) -> list[float]:
    """The median time of each way, after some that do not count.

    They take turns, request by request: minutes later it would be another machine. Raises
    BenchmarkFailed.
    """
    turns = islice(zip(*(cycle(way.deck) for way in ways), strict=False), WARM_UP + COUNTED)
    times = [[ms(way.ask, ask) for way, ask in zip(ways, turn, strict=True)] for turn in turns]
    return [median(of_one) for of_one in zip(*times[WARM_UP:], strict=True)]


def ms(act: Callable[[Ask], None], request: Ask) -> float:
    """The time that one request takes."""
    unique = request.made_unique(token_hex(len(UNIQUE) // 2))
    began = perf_counter()
    act(unique)
    return 1000 * (perf_counter() - began)


def lines(growth: Growth) -> Iterator[str]:
    """A table in Markdown for each thing that there was more and more of."""
    told = "; ".join(f"{name}: {value}" for name, value in growth.machine.items())
    yield from (f"Measured on {growth.date}, one request at a time.", "", f"{told}.")
    for of in dict.fromkeys(cost.of for cost in growth.costs):
        costs = [cost for cost in growth.costs if cost.of == of]
        sizes = [f"{size:,} {of}" for size in costs[0].sizes]
        yield from ("", f"| ms, of which SQL | {' | '.join(sizes)} | largest ÷ smallest |")
        yield f"|---|{'---:|' * (len(sizes) + 1)}"
        for cost in costs:
            pairs = zip(cost.request_ms, cost.sql_ms, strict=True)
            numbers = [f"{request:.2f}, {sql:.2f}" for request, sql in pairs]
            grown = f"{ratio(cost.request_ms)}, {ratio(cost.sql_ms)}"
            yield f"| {' | '.join([cost.case, *numbers, grown])} |"


def ratio(costs: Sequence[float]) -> str:
    """How many times as much the most rows cost as the fewest."""
    return f"{costs[-1] / costs[0]:.2f}"
