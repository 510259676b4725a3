"""Measure several contenders in turn, and compare them with the first one."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from statistics import median, quantiles
from time import sleep
from typing import NamedTuple

import click

from benchmarks.api import Target
from benchmarks.cases import Case, NotOffered
from benchmarks.wrk import Load, Measurement, run_wrk

PAUSE = 0.4  # seconds for a server to finish the requests that wrk no longer waits for
LATENCY, CPU = ("requests/s", "p50 ms", "p99 ms"), ("CPU ms", "Postgres CPU ms")
LIMIT, RATIO = ("requests/s", "÷ Chirpy"), ("÷ first", "half of the rounds")

Measure = Callable[[Load], Measurement]


class Contender(NamedTuple):
    """A server or pgbench. `prepare` returns how to measure a case, or None if it has no SQL."""

    name: str
    columns: tuple[str, ...]
    prepare: Callable[[Case], Measure | None]


class Result(NamedTuple):
    """What one contender did: medians of all rounds, and quartiles of its ratio to the first."""

    measured: Measurement
    ratio: tuple[float, float, float]


def running_servers(targets: Mapping[str, Target]) -> list[Contender]:
    """Return servers that run already, under these names."""
    return [
        Contender(name, LATENCY + RATIO if number else LATENCY, partial(prepare, target, ()))
        for number, (name, target) in enumerate(targets.items())
    ]


def prepare(target: Target, processes: Sequence[int], case: Case) -> Measure:
    """Return how to measure a server, and the CPU time of these processes meanwhile."""
    return partial(run_wrk, target.url, case.requests(target), case.status, processes=processes)


def compare(
    contenders: Sequence[Contender], cases: Sequence[Case], load: Load
) -> Iterator[tuple[str, list[Result | None]]]:
    """Yield the name of each case, and the result of each contender."""
    for case in cases:
        try:
            measures = [contender.prepare(case) for contender in contenders]
        except NotOffered as reason:
            click.echo(f"{case.name} is left out: {reason}")
            continue
        rounds = measure_in_turn([measure for measure in measures if measure], load)
        results = iter([summarize(of_one, rounds[0]) for of_one in rounds])
        yield case.name, [next(results) if measure else None for measure in measures]


def measure_in_turn(measures: Sequence[Measure], load: Load) -> list[list[Measurement]]:
    """Take all measures in each round, in the opposite order every other round.

    Return the rounds of each measure, without the first one, in which connections are opened.
    """
    rounds = []
    for number in range(load.rounds + 1):
        measured = {}
        for measure in measures if number % 2 else reversed(measures):
            measured[measure] = measure(load)
            sleep(PAUSE)
        rounds.append([measured[measure] for measure in measures])
    return [list(of_one) for of_one in zip(*rounds[1:], strict=True)]


def summarize(rounds: Sequence[Measurement], first: Sequence[Measurement]) -> Result:
    """Return the medians of some rounds, and how the requests per second compare in each."""
    ratios = [one.per_second / two.per_second for one, two in zip(rounds, first, strict=True)]
    samples = ratios if len(ratios) > 1 else ratios * 2
    lower, middle, upper = quantiles(samples, n=4, method="inclusive")
    return Result(Measurement(*map(median, zip(*rounds, strict=True))), (lower, middle, upper))
