"""The results as text for a terminal, as JSON, and as JUnit's XML."""

from collections.abc import Sequence

from chirpy.check.results import PASSED, Result


def count(results: Sequence[Result]) -> tuple[int, int]:
    """Return how many checks passed, and how many there are without the skipped ones."""
    return sum(r.outcome == PASSED for r in results), sum(r.counts for r in results)
