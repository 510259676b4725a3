"""Show results on a terminal, while they come."""

import os
import sys
from collections.abc import Iterable, Sequence

import click

from chirpy.check.reports import count
from chirpy.check.results import BLOCKED, FAILED, PASSED, SKIPPED, Result

MARKS = {PASSED: "✓", FAILED: "✗", BLOCKED: "○", SKIPPED: "–"}
PLAIN_MARKS = {PASSED: "ok", FAILED: "FAIL", BLOCKED: "none", SKIPPED: "skip"}
REASONS = {BLOCKED: "not tried", SKIPPED: "skipped"}
COLORS = {PASSED: "green", FAILED: "red", BLOCKED: "yellow", SKIPPED: "bright_black"}


def show(results: Iterable[Result], *, verbose: bool) -> list[Result]:
    """Print each result when it comes, under its chapter; return them all."""
    shown: list[Result] = []
    for result in results:
        if not shown or shown[-1].check.chapter != result.check.chapter:
            echo(f"\n{click.style(result.check.chapter, bold=True)}")
        is_told = bool(shown) and (shown[-1].outcome, shown[-1].got) == (result.outcome, result.got)
        show_one(result, is_told=is_told, verbose=verbose)
        shown.append(result)
    return shown


def show_one(result: Result, *, is_told: bool, verbose: bool) -> None:
    """Print a line, and the evidence unless the check passed.

    `is_told` says that the line before has the same reason why the check was not made.
    """
    check = result.check
    should = " (should)" if check.should and result.outcome != PASSED else ""
    mark = click.style(mark_of(result.outcome), fg=COLORS[result.outcome])
    echo(f"  {mark} {check.lesson}: {check.title}{should}")
    if result.outcome in REASONS:
        details(*[(REASONS[result.outcome], result.got)] * (not is_told))
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
    others = {FAILED: "failed", **REASONS}
    numbers = {name: sum(r.outcome == o for r in results) for o, name in others.items()}
    rest = ", ".join(f"{number} {name}" for name, number in numbers.items() if number)
    musts = [result for result in results if not result.check.should]
    has_shoulds = len(musts) < len(results) and passed < total
    must = "; must: {} of {}".format(*count(musts)) if has_shoulds else ""
    echo(f"\n{passed} of {total}{rest and f' ({rest})'}{must}")
    if total and all(r.outcome == BLOCKED and r.got == results[0].got for r in results):
        echo(results[0].got)  # one obstacle for all


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
