"""How a check can end other than by an unexpected answer."""

from collections.abc import Iterator
from contextlib import contextmanager

from chirpy.check.answers import Unexpected


class Blocked(Exception):
    """A step that the check needs has failed; another check says why."""


class NotApplicable(Exception):
    """The check does not concern this server. The text says why."""


@contextmanager
def needed(step: str) -> Iterator[None]:
    """Raise Blocked if the step in this block fails."""
    try:
        yield
    except Unexpected as unexpected:
        raise Blocked(f"{step}, but {unexpected}") from None
