"""Chirpy beside what bounds it, each measured with the same requests and the same SQL."""

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from statistics import fmean
from typing import NamedTuple

from benchmarks import bare, pgbench, processes
from benchmarks.asking import Caller
from benchmarks.cases import CASES, Case, Deck
from benchmarks.house import House, house
from benchmarks.load import Generator
from benchmarks.measures import Measure
from benchmarks.results import Point, Row
from benchmarks.scene import Scene
from benchmarks.seeding import seed
from benchmarks.servers import Server, serving
from benchmarks.statements import Transaction, overhear

STEPS = (1, 2, 4, 8, 16, 32, 64, 128, 256)  # connections
CURVES = ("one chirp", "list 100", "new chirp", "webhook new")
LONGEST_STEP = 2  # seconds
ROUNDS = 3  # of a case and what bounds it, so that all of them meet the same machine
WARM_UP = 1  # second before them, which doesn't count: connections are made, plans, first rows


class Round(NamedTuple):
    """One load of each: a server and what was computed for it, Postgres alone, the bare view.

    `stolen_ms` is the time that was taken from all processors together during the first.
    """

    server: Measure
    stolen_ms: float | None = None
    server_ms: float | None = None
    postgres_ms: float | None = None
    pgbench: float | None = None
    bare: float | None = None


@dataclass(frozen=True)
class Bench:
    """Chirpy and the bare views, which both use the same Postgres, and what they are asked."""

    house: House
    chirpy: Server
    bare: Server
    scene: Scene
    transactions: Mapping[str, Transaction]

    def row(self, case: Case, load: Generator) -> Row:
        """One case and its bounds, in turn. Raises BenchmarkFailed."""
        deck = case.deck(self.scene)
        return in_rounds(case, load, lambda load: self.round(case, load, deck))

    def round(self, case: Case, load: Generator, deck: Deck) -> Round:
        """One load of each."""
        before = self.clocks
        measure = checked(load, self.chirpy.url, case, deck)
        stolen, server, postgres = (
            None if then is None or now is None else 1000 * (now - then)
            for then, now in zip(before, self.clocks, strict=True)
        )
        self.chirpy.come_to_rest()  # after the clocks: its answers to nobody are not counted
        postgres_alone = self.pgbench(case, load)
        bare = checked(load, self.bare.url, case, deck)
        self.bare.come_to_rest()
        return Round(
            measure,
            stolen_ms=stolen,
            server_ms=server and server / measure.requests,
            postgres_ms=postgres and postgres / measure.requests,
            pgbench=postgres_alone,
            bare=bare.per_second,
        )

    def measure(self, case: Case, load: Generator) -> Measure:
        """One case without its bounds. Raises BenchmarkFailed."""
        measure = checked(load, self.chirpy.url, case, case.deck(self.scene))
        self.chirpy.come_to_rest()
        return measure

    def curve(self, case: Case, load: Generator) -> Iterator[Point]:
        """One case over more and more connections. Raises BenchmarkFailed."""
        seconds = min(load.seconds, LONGEST_STEP)
        for connections in STEPS:
            step = replace(load, connections=connections, seconds=seconds)
            measure = self.measure(case, step)
            yield Point(connections, measure.per_second, measure.p99_ms)

    def pgbench(self, case: Case, load: Generator) -> float | None:
        """What Postgres alone does with the same SQL."""
        if case.name not in self.transactions:
            return None
        return pgbench.per_second(self.house, self.transactions[case.name], load)

    @property
    def clocks(self) -> tuple[float | None, float | None, float | None]:
        """Seconds stolen from the machine, and computed by Chirpy and by Postgres, until now."""
        stolen = processes.stolen_seconds()
        return stolen, self.chirpy.cpu_seconds, self.house.postgres_cpu_seconds


@contextmanager
def bench() -> Iterator[Bench]:
    """Start all of it, and fill the database."""
    asking = [case for case in CASES if case.asks_database]
    with house() as home, home.chirpy() as chirpy:
        scene = Scene(Caller(chirpy.url), home.polka_key)
        seed(home, scene)
        transactions = overhear(home.environment, scene, asking)
        with bare_views(home, transactions) as views:
            yield Bench(home, chirpy, views, scene, transactions)


@contextmanager
def bare_views(home: House, transactions: Mapping[str, Transaction]) -> Iterator[Server]:
    """What there is at least to do, on the same database."""
    with tempfile.NamedTemporaryFile("w") as file:
        file.write(bare.written(transactions))
        file.flush()
        environment = {**home.environment, bare.STATEMENTS: file.name}
        with serving(["-m", "benchmarks.bare"], environment) as server:
            yield server


def checked(load: Generator, url: str, case: Case, deck: Deck) -> Measure:
    """The measure of one case, all of whose answers are as they should be."""
    measure = load.run(url, deck)
    measure.require_only(case.status, f"{case.name} at {url}")
    return measure


def in_rounds(case: Case, load: Generator, play: Callable[[Generator], Round]) -> Row:
    """Play several rounds, after one that doesn't count. Raises BenchmarkFailed."""
    play(replace(load, seconds=WARM_UP))
    return summary(case, [play(load) for _ in range(ROUNDS)])


def summary(case: Case, rounds: Sequence[Round]) -> Row:
    """Several rounds as one row: their means, but waiting times of the one with the middle p99.

    A processor that is taken away for a tenth of a second makes a p99 of its own.
    """
    middle = sorted(rounds, key=lambda one: one.server.p99_ms)[len(rounds) // 2]
    return Row(
        case.name,
        per_second=fmean(one.server.per_second for one in rounds),
        p50_ms=middle.server.p50_ms,
        p99_ms=middle.server.p99_ms,
        stolen_ms=middle.stolen_ms,
        server_ms=mean([one.server_ms for one in rounds]),
        postgres_ms=mean([one.postgres_ms for one in rounds]),
        pgbench=mean([one.pgbench for one in rounds]),
        bare=mean([one.bare for one in rounds]),
    )


def mean(values: Sequence[float | None]) -> float | None:
    """Their mean, if all of them are known."""
    known = [value for value in values if value is not None]
    return fmean(known) if len(known) == len(values) else None
