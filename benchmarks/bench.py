"""Chirpy beside what bounds it, each measured with the same requests and the same SQL."""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace

from benchmarks import bare, pgbench
from benchmarks.asking import Caller
from benchmarks.cases import BY_NAME, CASES, Case, Deck
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
# After it, each thread has its connection to Postgres.
WARM_UP, WARMING = Generator(seconds=1), BY_NAME["one chirp"]


@dataclass(frozen=True)
class Bench:
    """Chirpy and the bare views, which both use the same Postgres, and what they are asked."""

    house: House
    chirpy: Server
    bare: Server
    scene: Scene
    transactions: Mapping[str, Transaction]

    def row(self, case: Case, load: Generator) -> Row:
        """One case and its bounds. Raises BenchmarkFailed."""
        deck, before = case.deck(self.scene), self.cpu_seconds
        measure = checked(load, self.chirpy.url, case, deck)
        server_ms, postgres_ms = (
            None if then is None or now is None else 1000 * (now - then) / measure.requests
            for then, now in zip(before, self.cpu_seconds, strict=True)
        )
        return replace(
            row(case, measure),
            server_ms=server_ms,
            postgres_ms=postgres_ms,
            pgbench=self.pgbench(case, load),
            bare=checked(load, self.bare.url, case, deck).per_second,
        )

    def measure(self, case: Case, load: Generator) -> Measure:
        """One case without its bounds. Raises BenchmarkFailed."""
        return checked(load, self.chirpy.url, case, case.deck(self.scene))

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
    def cpu_seconds(self) -> tuple[float | None, float | None]:
        """The time that Chirpy and Postgres have computed."""
        return self.chirpy.cpu_seconds, self.house.postgres_cpu_seconds


@contextmanager
def bench() -> Iterator[Bench]:
    """Start all of it, fill the database, and warm up."""
    asking = [case for case in CASES if case.asks_database]
    with house() as home, home.chirpy() as chirpy:
        scene = Scene(Caller(chirpy.url), home.polka_key)
        seed(home, scene)
        transactions = overhear(home.environment, scene, asking)
        with bare_views(home, transactions) as views:
            for server in (chirpy, views):
                checked(WARM_UP, server.url, WARMING, WARMING.deck(scene))
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


def row(case: Case, measure: Measure) -> Row:
    """A case without its bounds."""
    return Row(case.name, measure.per_second, measure.p50_ms, measure.p99_ms)
