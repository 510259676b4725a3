"""`python -m benchmarks`: measure Chirpy, or servers that run already and have the same API."""

from collections.abc import Sequence
from typing import Any

import click

from benchmarks.api import Target
from benchmarks.cases import CASES, Case
from benchmarks.compare import compare, running_servers
from benchmarks.measure import run_benchmark
from benchmarks.report import print_table, save
from benchmarks.wrk import Load, require_wrk

USER_ID_KEYS = {"snake": "user_id", "camel": "userId"}


@click.command(context_settings={"show_default": True})
@click.option("--seconds", default=2, type=click.IntRange(1, 60), help="Of each round.")
@click.option("--rounds", type=click.IntRange(1), help="Of each case.  [default: 5; 15 to compare]")
@click.option("--connections", default=16, type=click.IntRange(1, 64), help="Of wrk.")
@click.option("--only", multiple=True, type=click.Choice(list(CASES)), help="Can be repeated.")
@click.option("--against", multiple=True, metavar="URL", help="A running server; can be repeated.")
@click.option("--case", default="snake", type=click.Choice(list(USER_ID_KEYS)), help="Of its JSON.")
@click.option("--polka-key", help="The key it wants for webhooks.")
def main(rounds: int | None, only: Sequence[str], against: Sequence[str], **other: Any) -> None:
    """Measure Chirpy beside its limits; or running servers, compared with the first of them."""
    require_wrk()
    cases = [CASES[name] for name in only or CASES]
    rounds = rounds or (15 if len(against) > 1 else 5)
    load = Load(other["seconds"], other["connections"], rounds)
    if against:
        key = USER_ID_KEYS[other["case"]]
        targets = {url: Target(url.rstrip("/"), other["polka_key"], key) for url in against}
        for target in targets.values():
            target.create_content()
        contenders = running_servers(targets)
        print_table(contenders, compare(contenders, cases, load))
    else:
        measure_chirpy(cases, load, saved=not only)


def measure_chirpy(cases: Sequence[Case], load: Load, *, saved: bool) -> None:
    """Measure Chirpy beside its limits, and save the results."""
    with run_benchmark() as benchmark:
        contenders = benchmark.contenders()
        lines, results = print_table(contenders, compare(contenders, cases, load))
    applied = f"{load.rounds} rounds of {load.seconds} s, {load.connections} connections."
    if saved:
        save(results, contenders, [*lines, "", applied])


if __name__ == "__main__":
    main()
