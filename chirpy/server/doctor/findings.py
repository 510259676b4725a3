"""What the doctor finds: one line each, and for a problem the next command."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

OK, NOTE, PROBLEM, UNCHECKED = "ok", "note", "FAIL", "-"


class Finding(NamedTuple):
    """What was found about a subject. `steps` are commands, or texts that end with one."""

    subject: str
    text: str
    state: str = OK
    steps: tuple[str, ...] = ()


def problem(subject: str, text: str, *steps: str) -> Finding:
    """Return a finding that makes the exit code 1."""
    return Finding(subject, text, PROBLEM, steps)


def split_step(message: str) -> tuple[str, str]:
    """Return what a message says is wrong, without its full stop, and its next step or nothing."""
    text, _, step = message.partition("Next: ")
    return text.strip().rstrip("."), step


def guarded(subject: str, check: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    """Yield the findings of a check, and a problem instead of any exception."""
    try:
        yield from check()
    except Exception as error:  # noqa: BLE001 - the doctor must work when all else is broken
        text = f"could not be checked: {type(error).__name__}: {error}".strip()
        yield problem(subject, text, "report this as a bug of Chirpy, with this line")
