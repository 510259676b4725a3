"""Show results on a terminal, while they come."""

import os
import sys
from collections.abc import Iterable, Sequence

import click

from chirpy.check.reports import count
from chirpy.check.results import BLOCKED, FAILED, PASSED, SKIPPED, Result

MARKS = {PASSED: "✓", FAILED: "✗", BLOCKED: "○", SKIPPED: "–"}
PLAIN_MARKS = {PASSED: "ok", FAILED: "FAIL", BLOCKED: "none", SKIPPED: "skip"}
COLORS = {PASSED: "green", FAILED: "red", BLOCKED: "yellow", SKIPPED: "bright_black"}


def show(results: Iterable[Result], *, verbose: bool) -> list[Result]:
    """Print each result when it comes, under its chapter; return them all."""
    shown: list[Result] = []
    for result in results:
        if not shown or shown[-1].check.chapter != result.check.chapter:
            echo(f"\n{click.style(result.check.chapter, bold=True)}")
        show_one(result, verbose=verbose)
        shown.append(result)
    return shown


def show_one(result: Result, *, verbose: bool) -> None:
    """Print a line, and the evidence unless the check passed."""
    check = result.check
    should = " (should)" if check.should and result.outcome != PASSED else ""
    mark = click.style(mark_of(result.outcome), fg=COLORS[result.outcome])
    echo(f"  {mark} {check.lesson}: {check.title}{should}")
    if result.outcome == SKIPPED:
        details(("skipped", result.got))
    elif result.outcome == BLOCKED:
        details(("not tried", result.got))
    elif verbose or result.outcome == FAILED:
        why = [("why", check.reason)] if check.reason else []
        curl = [("curl", line) for line in result.curl]
        details(("expected", result.expected), ("got", result.got), *why, *curl)


def details(*lines: tuple[str, str]) -> None:
    """Print lines with a name before each."""
    for name, text in lines:
        echo(f"      {click.style(f'{name:9}', dim=True)} {text}")


def show_summary(results: Sequence[Result]) -> None:
    """Print how many checks passed, and how the others ended."""
    passed, total = count(results)
    others = {"failed": FAILED, "not tried": BLOCKED, "skipped": SKIPPED}
    numbers = {name: sum(r.outcome == o for r in results) for name, o in others.items()}
    rest = ", ".join(f"{number} {name}" for name, number in numbers.items() if number)
    echo(f"\n{passed} of {total}{rest and f' ({rest})'}")


def mark_of(outcome: str) -> str:
    """Return a sign, or a word where the terminal has no such signs."""
    signs = can_print("".join(MARKS.values()))
    return MARKS[outcome] if signs else f"{PLAIN_MARKS[outcome]:4}"


def can_print(text: str) -> bool:
    """Return whether the output's encoding has these characters."""
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return False
    return True


def echo(text: str) -> None:
    r"""Print a line: without colour if NO_COLOR is set, and `\xe9` where a character is missing."""
    encoding = sys.stdout.encoding or "ascii"
    printable = text.encode(encoding, "backslashreplace").decode(encoding)
    click.echo(printable, color=False if os.environ.get("NO_COLOR") else None)
