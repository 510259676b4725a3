"""Register checks: small functions, whose docstrings are what the reports say about them."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass

from chirpy.check.server import Server

Function = Callable[[Server], None]


@dataclass(frozen=True)
class Check:
    """A check, and what reports say about it."""

    run: Function
    topic: str  # what it is about, for `--only`
    chapter: str
    lesson: str
    should: bool  # a careful server does it; false if every server must
    strict: bool  # goes beyond the course: only with `--strict`
    go_only: bool  # not demanded of the TypeScript edition

    @property
    def name(self) -> str:
        """A stable name, such as `users.sign_up`."""
        return f"{self.topic}.{self.run.__name__}"

    @property
    def title(self) -> str:
        """The first line of the docstring."""
        return (inspect.getdoc(self.run) or self.name).partition("\n")[0]

    @property
    def reason(self) -> str:
        """The rest of the docstring: what a careful server does, and why."""
        return " ".join((inspect.getdoc(self.run) or "").partition("\n")[2].split())


class Chapter:
    """A chapter of the course, and its checks about one topic."""

    def __init__(self, name: str, topic: str, *, strict: bool = False) -> None:
        self.name, self.topic, self.strict, self.checks = name, topic, strict, list[Check]()

    def check(
        self, lesson: str, *, should: bool = False, strict: bool = False, go_only: bool = False
    ) -> Callable[[Function], Function]:
        """Register a function that raises Unexpected if the server fails the check."""

        def register(run: Function) -> Function:
            beyond = strict or self.strict
            self.checks.append(Check(run, self.topic, self.name, lesson, should, beyond, go_only))
            return run

        return register
