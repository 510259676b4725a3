"""`python -m benchmarks`: measure Chirpy, or any server that answers as it does."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import click

from benchmarks import plot, results, runs, table
from benchmarks.asking import Caller
from benchmarks.bench import CURVES
from benchmarks.cases import BY_NAME
from benchmarks.load import PROGRAMS, Generator
from benchmarks.results import Result
from benchmarks.scene import SPELLING, Scene
from benchmarks.servers import stopped_tidily

CHART = table.PAGE.with_name("performance.svg")


@click.command(context_settings={"show_default": True})
@click.option("--seconds", default=2.0, type=click.FloatRange(0.1, 60), help="Each of 3 loads.")
@click.option("--connections", default=16, type=click.IntRange(1, 256), help="Kept busy.")
@click.option("--program", default=PROGRAMS[0], type=click.Choice(PROGRAMS), help="Makes the load.")
@click.option("--only", multiple=True, type=click.Choice(list(BY_NAME)), help="May be repeated.")
@click.option("--plot/--no-plot", "plotted", default=True, help="Measure 1 to 256 connections too.")
@click.option("--soak", default=0, type=click.IntRange(0), help="Requests to send afterwards.")
@click.option("--save/--no-save", default=True, help="In place of today's; if whole, as page.")
@click.option("--against", metavar="URL", help="Measure the server there instead.")
@click.option("--case", default="snake", type=click.Choice(list(SPELLING)), help="Its JSON's keys.")
@click.option("--polka-key", help="What proves a delivery to it.")
@stopped_tidily
def main(only: Sequence[str], save: bool, against: str | None, **how: Any) -> None:
    """Measure Chirpy, on an embedded Postgres of its own, beside what bounds it."""
    cases = [BY_NAME[name] for name in only or BY_NAME]
    load = Generator(how["seconds"], how["connections"], how["program"])
    if against:
        scene = Scene(Caller(against), how["polka_key"], how["case"])
        result = runs.of_another(scene, cases, load)
        name = f"{result.date}-{urlsplit(against).netloc.replace(':', '-')}"
    else:
        curves = CURVES if how["plotted"] else ()
        result = runs.of_chirpy(cases, load, curves, how["soak"])
        name = result.date
    if save:
        click.echo(f"Kept in {results.save(result, name)}")
    if save and not against and not only and how["plotted"]:
        write(result)


def write(result: Result) -> None:
    """Put the result into the documentation."""
    table.write_into(table.PAGE, table.MARK, table.table(result))
    CHART.write_text(plot.chart(result.curves))
    click.echo(f"Written into {table.PAGE}")


if __name__ == "__main__":
    main()
