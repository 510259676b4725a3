"""Run checks one after the other, and keep what reports need of each."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

from chirpy.check.answers import Unexpected
from chirpy.check.client import NO_SERVER
from chirpy.check.outcomes import Blocked, NotApplicable
from chirpy.check.registry import Check
from chirpy.check.server import Server

PASSED, FAILED, BLOCKED, SKIPPED = "passed", "failed", "blocked", "skipped"
FORBIDDEN = 403
STEPS = 4  # requests of a check that a report shows, the last ones


@dataclass(frozen=True)
class Result:
    """What came of a check. `got` is an answer, or why the check was not made."""

    check: Check
    outcome: str
    expected: str
    got: str
    curl: list[str]  # the requests of the check, in their order

    @property
    def counts(self) -> bool:
        """Whether it counts among all checks."""
        return self.outcome != SKIPPED


def run(checks: Iterable[Check], server: Server) -> Iterator[Result]:
    """Reset the server, then run each check and yield its result."""
    obstacle = find_obstacle(server)
    for check in checks:
        yield Result(check, BLOCKED, "", obstacle, []) if obstacle else run_one(check, server)


def find_obstacle(server: Server) -> str:
    """Reset the server. Return why nothing more should be sent, empty if there is no reason."""
    reset = server.reset()
    if reset.problem == NO_SERVER:
        return f"{reset.problem}. Next: start the server, or correct the URL"
    if reset.status == FORBIDDEN:
        return (
            "POST /admin/reset is a 403: this server is not for development, so nothing more was"
            " sent. Next: start it with PLATFORM=dev"
        )
    return ""


def run_one(check: Check, server: Server) -> Result:
    """Run a check. The evidence is the answer that failed, or else the last one."""
    server.steps.clear()
    outcome, reason, shown = PASSED, "", None
    try:
        check.run(server)
    except Unexpected as unexpected:
        outcome, shown = FAILED, unexpected.answer
    except Blocked as blocked:
        outcome, reason = BLOCKED, str(blocked)
    except NotApplicable as skipped:
        outcome, reason = SKIPPED, str(skipped)
    shown = shown or (server.steps[-1] if server.steps else None)
    expected = "; ".join(shown.expected) if shown and not reason else ""
    curl = [line for line, _ in groupby(step.request.curl for step in server.steps)][-STEPS:]
    return Result(check, outcome, expected, reason or (shown.shown if shown else ""), curl)
