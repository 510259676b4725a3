"""The results as a Markdown table, as a chart, and as sections of docs/performance.md."""

import json
import platform
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import click
import psutil
from matplotlib import rcParams
from matplotlib.figure import Figure

from benchmarks.compare import Contender, Result
from benchmarks.environment import PROJECT

PAGE = PROJECT / "docs/performance.md"
RESULT = Path(__file__).with_name("result.json")
rcParams["svg.hashsalt"] = "chirpy"  # without it, each run would write other ids

Results = Mapping[str, Sequence[Result | None]]


def cells(contender: Contender, result: Result | None) -> list[str]:
    """Return the numbers of one contender in one row of the table."""
    if result is None:
        return ["–"] * len(contender.columns)
    measured, (lower, middle, upper) = result
    texts = {
        "requests/s": f"{measured.per_second:,.0f}",
        "p50 ms": f"{measured.p50_ms:.1f}",
        "p99 ms": f"{measured.p99_ms:.1f}",
        "CPU ms": f"{measured.cpu_ms:.2f}",
        "Postgres CPU ms": f"{measured.postgres_cpu_ms:.2f}",
        "÷ Chirpy": f"{middle:.2f}",
        "÷ first": f"{middle:.3f}",
        "half of the rounds": f"{lower:.3f}–{upper:.3f}",
    }
    return [texts[column] for column in contender.columns]


def print_table(
    contenders: Sequence[Contender], measured: Iterable[tuple[str, list[Result | None]]]
) -> tuple[list[str], Results]:
    """Print each line of a Markdown table as soon as it is measured; return lines and results."""
    columns = [[f"{one.name}: {one.columns[0]}", *one.columns[1:]] for one in contenders]
    headings = [f"{'Case':<22}", *(column for of_one in columns for column in of_one)]
    lines, results = [f"| {' | '.join(headings)} |", f"|---|{'---:|' * (len(headings) - 1)}"], {}
    click.echo("\n".join(lines))
    for case, of_case in measured:
        results[case] = of_case
        pairs = zip(contenders, of_case, strict=True)
        numbers = [cell for contender, result in pairs for cell in cells(contender, result)]
        padded = [f"{text:>{len(head)}}" for text, head in zip(numbers, headings[1:], strict=True)]
        lines.append(f"| {case:<22} | {' | '.join(padded)} |")
        click.echo(lines[-1])
    return lines, results


def draw(results: Results, contenders: Sequence[Contender], file: Path) -> None:
    """Write a bar chart as SVG, with a group of bars for each case."""
    figure = Figure(figsize=(10, 5), layout="constrained")
    axes = figure.subplots()
    for number, contender in enumerate(contenders):
        found = [of_case[number] for of_case in results.values()]
        heights = [result.measured.per_second if result else 0 for result in found]
        places = [place + 0.27 * number for place in range(len(results))]
        axes.bar(places, heights, 0.27, label=contender.name)
    axes.set_xticks([place + 0.27 for place in range(len(results))], list(results))
    axes.set(yscale="log", ylabel="requests per second")
    axes.legend()
    figure.savefig(file, format="svg", metadata={"Date": None})


def save(results: Results, contenders: Sequence[Contender], lines: Iterable[str]) -> None:
    """Write the results as JSON, as a chart, and into the page."""
    RESULT.write_text(f"{json.dumps(results, indent=1)}\n")
    draw(results, contenders, PAGE.with_name("performance.svg"))
    write_section("benchmark", lines)


def write_section(name: str, lines: Iterable[str]) -> None:
    """Replace the text between the comments `name` and `/name` of the page, and date it."""
    system = f"{psutil.cpu_count()} processors, {platform.platform()}"
    lines = [*lines, f"Measured on {datetime.now(UTC):%Y-%m-%d}: {system}."]
    before, _, after = re.split(f"(?<=<!-- {name} -->\n)|(?=<!-- /{name} -->)", PAGE.read_text())
    PAGE.write_text("\n".join([before, *lines, f"\n{after}"]))
