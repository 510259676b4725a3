"""A result in words: lines for the terminal, and a table for the documentation.

`python -m benchmarks.table benchmarks/results/2026-01-31.json` writes that table again.
"""

import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from benchmarks.failures import BenchmarkFailed
from benchmarks.memory import shown
from benchmarks.results import Memory, Result, Row
from benchmarks.servers import PROJECT

PAGE = PROJECT / "docs/performance.md"
MARK = "benchmark"  # what the places of the page that are written by programs are called
UNKNOWN = "–"
HEADINGS = (
    "Case",
    "requests/s",
    "p50 ms",
    "p99 ms",
    "stolen ms",
    "CPU ms",
    "Postgres ms",
    "pgbench/s",
    "of it",
    "bare/s",
    "of it",
    "of healthz",
)
# Of the terminal's columns; the first is written to the left.
WIDTHS = (-18, 10, 8, 8, 9, 8, 11, 10, 6, 8, 6, 10)


def cells(row: Row, healthz: float | None) -> list[str]:
    """One case, its bounds, and how near it comes to each."""
    return [
        row.case,
        whole(row.per_second),
        f"{row.p50_ms:.1f}",
        f"{row.p99_ms:.1f}",
        whole(row.stolen_ms),
        UNKNOWN if row.server_ms is None else f"{row.server_ms:.2f}",
        UNKNOWN if row.postgres_ms is None else f"{row.postgres_ms:.2f}",
        whole(row.pgbench),
        ratio(row.per_second, row.pgbench),
        whole(row.bare),
        ratio(row.per_second, row.bare),
        ratio(row.per_second, healthz),
    ]


def line(texts: Sequence[str]) -> str:
    """One line for the terminal."""
    return " ".join(
        f"{text:{'<' if width < 0 else '>'}{abs(width)}}"
        for text, width in zip(texts, WIDTHS, strict=True)
    )


def table(result: Result) -> Iterator[str]:
    """The result in Markdown, line by line."""
    told = "; ".join(f"{name}: {value}" for name, value in result.machine.items())
    yield from (f"Measured on {result.date}: {result.conditions}.", "", f"{told}.", "")
    yield f"| {' | '.join(HEADINGS)} |"
    yield f"|---|{'---:|' * (len(HEADINGS) - 1)}"
    healthz = healthz_of(result.rows)
    for row in result.rows:
        yield f"| {' | '.join(cells(row, healthz))} |"
    if result.memory:
        yield from ("", *in_words(result.memory))


def in_words(memory: Memory) -> Iterator[str]:
    """What is no matter of requests."""
    yield f"Resident memory of each worker after all of it: {shown(memory.worker_mib)}."
    yield f"`import app` takes {memory.import_seconds:.2f} s."
    if memory.packages_seconds is not None:
        yield f"Its packages alone take {memory.packages_seconds:.2f} s."


def healthz_of(rows: Sequence[Row]) -> float | None:
    """How often the server says that it lives."""
    return next((row.per_second for row in rows if row.case == "healthz"), None)


def write_into(page: Path, mark: str, lines: Iterable[str]) -> None:
    """Put `lines` between the two marks of a page. Raises BenchmarkFailed if there are none."""
    begin, end = f"<!-- {mark} -->\n", f"<!-- /{mark} -->\n"
    before, found, rest = page.read_text().partition(begin)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        raise BenchmarkFailed(f"{page} has no place called {mark}")
    page.write_text("\n".join([f"{before}{begin}", *lines, f"\n{end}{after}"]))


def whole(number: float | None) -> str:
    """A whole number, with a comma between thousands."""
    return UNKNOWN if number is None else f"{number:,.0f}"


def ratio(part: float, of: float | None) -> str:
    """How much of its bound something reaches."""
    return UNKNOWN if not of else f"{part / of:.2f}"


if __name__ == "__main__":
    write_into(PAGE, MARK, table(Result.load(Path(sys.argv[1]))))
