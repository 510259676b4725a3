"""What each way of running one statement costs: `python -m benchmarks.ways`."""

import json
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from statistics import median
from threading import Barrier
from time import monotonic, process_time
from typing import NamedTuple, Self
from uuid import UUID

import click
from flask import Flask

from benchmarks import growing, machine, results, runs, table
from benchmarks.house import THREADS, House, house
from benchmarks.lookups import BOUND, LOOKUPS, Lookup
from benchmarks.servers import stopped_tidily
from chirpy import create_app
from chirpy.database.engine import db
from chirpy.settings import parse_settings

MARK = "ways"
CHIRPS = 1000
PATIENCE = 30  # seconds for all threads to connect


class Turn(NamedTuple):
    """What one way did in one turn, and the CPU time of this process for one statement."""

    per_second: float
    cpu_us: float


@dataclass(frozen=True)
class Cost:
    """The medians of one way, and of its ratio to the bound in the same round."""

    way: str
    per_second: float
    cpu_us: float
    of_bound: float


@dataclass(frozen=True)
class Comparison:
    """All that was measured."""

    date: str
    conditions: str
    machine: Mapping[str, str]
    costs: Sequence[Cost]

    @classmethod
    def load(cls, file: Path) -> Self:
        """Read what was saved."""
        kept = json.loads(file.read_text())
        return cls(**{**kept, "costs": [Cost(**cost) for cost in kept["costs"]]})


@click.command(context_settings={"show_default": True})
@click.option("--rounds", default=20, type=click.IntRange(1, 1000), help="Turns of each way.")
@click.option("--seconds", default=0.5, type=click.FloatRange(0.1, 60), help="Of each turn.")
@click.option("--save/--no-save", default=True, help="Keep the result, and write the page.")
@stopped_tidily
def main(rounds: int, seconds: float, save: bool) -> None:
    """Measure what each way of running one statement costs."""
    comparison = measure(rounds, seconds)
    click.echo("\n".join(lines(comparison)))
    if save:
        click.echo(f"Kept in {results.save(comparison, f'{comparison.date}-ways')}")
        table.write_into(table.PAGE, MARK, lines(comparison))


def measure(rounds: int, seconds: float) -> Comparison:
    """Each way in turn, so that all of them meet the same machine."""
    with house() as home, home.chirpy():  # which migrates the database
        growing.make_users(home)
        growing.grow(home, growing.CHIRPS, CHIRPS)
        chirps = [UUID(chirp_id) for [chirp_id] in home.sql("SELECT id::text FROM chirps")]
        app = application(home)
        played = [
            {way: turn(app, lookup, chirps, seconds) for way, lookup in LOOKUPS.items()}
            for _ in range(rounds)
        ]
        return Comparison(
            runs.today(),
            f"{rounds} × {seconds:g} s for each way, one process with {THREADS} threads",
            machine.description(home.postgres_version),
            [cost(way, played) for way in LOOKUPS],
        )


def application(home: House) -> Flask:
    """Chirpy in this process."""
    return create_app(parse_settings(home.environment))


def turn(app: Flask, lookup: Lookup, chirps: Sequence[UUID], seconds: float) -> Turn:
    """Let all threads look chirps up for so long; each has connected before."""
    began: list[float] = []
    start = Barrier(THREADS, action=lambda: began.append(process_time()), timeout=PATIENCE)

    def connect() -> None:
        with app.app_context():
            lookup(chirps[0])

    def work() -> int:
        with app.app_context():
            start.wait()
            end = monotonic() + seconds
            for done, chirp_id in enumerate(cycle(chirps)):
                if monotonic() > end:
                    return done
                lookup(chirp_id)
        raise AssertionError("there are no chirps")

    with ThreadPoolExecutor(THREADS, initializer=connect) as pool:
        workers = [pool.submit(work) for _ in range(THREADS)]
        done = sum(worker.result() for worker in workers)
        computed = process_time() - began[0]
    with app.app_context():
        db.engine.dispose()  # what one way has connected is no gift for the next
    return Turn(done / seconds, 1_000_000 * computed / done)


def cost(way: str, played: Sequence[Mapping[str, Turn]]) -> Cost:
    """One way in all rounds."""
    return Cost(
        way,
        per_second=median(one[way].per_second for one in played),
        cpu_us=median(one[way].cpu_us for one in played),
        of_bound=median(one[way].per_second / one[BOUND].per_second for one in played),
    )


def lines(comparison: Comparison) -> Iterator[str]:
    """A table in Markdown."""
    told = "; ".join(f"{name}: {value}" for name, value in comparison.machine.items())
    yield from (f"Measured on {comparison.date}: {comparison.conditions}.", "", f"{told}.", "")
    yield f"| Way | statements/s | CPU µs | of {BOUND} |"
    yield "|---|---:|---:|---:|"
    for one in comparison.costs:
        yield f"| {one.way} | {one.per_second:,.0f} | {one.cpu_us:.0f} | {one.of_bound:.2f} |"


if __name__ == "__main__":
    main()
