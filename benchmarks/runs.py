"""A whole run: one case after the other, each told as soon as it is measured."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import click

from benchmarks import machine, memory
from benchmarks.bench import ROUNDS, Bench, Round, bench, checked, in_rounds
from benchmarks.cases import BY_NAME, Case, Deck, NotOffered
from benchmarks.house import THREADS, WORKERS
from benchmarks.load import Generator
from benchmarks.results import Memory, Point, Result, Row
from benchmarks.scene import PAGE, Scene
from benchmarks.table import HEADINGS, cells, healthz_of, line

SOAKING = ("webhook new", "one chirp", "list 100", "new chirp", "webhook refused")
SLICE = 5  # seconds of soaking with one of them, then with the next


def of_chirpy(
    cases: Sequence[Case], load: Generator, curves: Sequence[str], soaking: int
) -> Result:
    """Chirpy beside what bounds it. Raises BenchmarkFailed."""
    with bench() as running:
        home = running.house
        return Result(
            date=today(),
            conditions=f"{conditions(load)}, {WORKERS} processes with {THREADS} threads",
            machine=machine.description(home.postgres_version),
            rows=told(running.row(case, load) for case in cases),
            curves={name: drawn(running, name, load) for name in curves},
            memory=weighed(running, load, soaking),
        )


def of_another(scene: Scene, cases: Sequence[Case], load: Generator) -> Result:
    """A server of which nothing is known but its URL. Raises BenchmarkFailed."""
    scene.sign_up()
    scene.post(PAGE)
    listed = len(scene.ask("GET", f"/api/chirps?limit={PAGE}"))
    click.echo(f"Its list holds {listed} chirps, where Chirpy's holds {PAGE}.")
    url = scene.caller.url

    def row(case: Case, deck: Deck) -> Row:
        return in_rounds(case, load, lambda load: Round(checked(load, url, case, deck)))

    rows = told(row(case, deck) for case, deck in offered(scene, cases))
    return Result(today(), f"{conditions(load)}, {url}", machine.description("unknown"), rows)


def offered(scene: Scene, cases: Sequence[Case]) -> Iterator[tuple[Case, Deck]]:
    """The cases that a server can be asked for, with what to ask."""
    for case in cases:
        try:
            yield case, case.deck(scene)
        except NotOffered as lack:
            click.echo(f"{case.name} is left out: {lack}")


def told(measured: Iterable[Row]) -> list[Row]:
    """Print each row when it is there; returns all of them."""
    rows: list[Row] = []
    click.echo(line(HEADINGS))
    for one in measured:
        rows.append(one)
        click.echo(line(cells(one, healthz_of(rows))))
    return rows


def drawn(running: Bench, name: str, load: Generator) -> list[Point]:
    """The curve of one case, printed."""
    points = []
    for point in running.curve(BY_NAME[name], load):
        points.append(point)
        wait = f"{point.per_second:,.0f}/s, p99 {point.p99_ms:.1f} ms"
        click.echo(f"{name}, {point.connections} connections: {wait}")
    return points


def weighed(running: Bench, load: Generator, soaking: int) -> Memory:
    """What Chirpy takes up after so many more requests, and how long it takes to be there."""
    sizes = soaked(running, load, soaking)
    app, packages = memory.import_seconds(running.house.environment)
    return Memory(import_seconds=app, worker_mib=sizes, packages_seconds=packages)


def soaked(running: Bench, load: Generator, requests: int) -> list[float]:
    """The memory of each worker after so many more requests of several kinds, printed."""
    sizes = memory.worker_mib(running.chirpy, WORKERS)
    click.echo(f"Workers: {memory.shown(sizes)}")
    sent, turn = 0, 0
    while sent < requests:
        case = BY_NAME[SOAKING[turn % len(SOAKING)]]
        sent += running.measure(case, replace(load, seconds=SLICE)).requests
        turn += 1
        sizes = memory.worker_mib(running.chirpy, WORKERS)
        click.echo(f"after {sent:,} more requests: {memory.shown(sizes)}")
    return sizes


def today() -> str:
    """The date, as results are named."""
    return datetime.now(UTC).date().isoformat()


def conditions(load: Generator) -> str:
    """How the load was made."""
    times = f"{ROUNDS} × {load.seconds:g} s for each case"
    return f"{load.program}, {load.connections} connections, {times}"
