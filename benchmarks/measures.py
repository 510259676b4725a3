"""What a load came to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from benchmarks.failures import BenchmarkFailed


@dataclass(frozen=True)
class Measure:
    """How often a server answered, how fast, and with which statuses.

    `broken` counts connections that were refused or cut, and by our own generator silent ones.
    """

    seconds: float
    p50_ms: float
    p99_ms: float
    statuses: Mapping[str, int] = field(default_factory=dict)
    broken: int = 0

    @property
    def requests(self) -> int:
        """Answers, whatever their status."""
        return sum(self.statuses.values())

    @property
    def per_second(self) -> float:
        """Answers a second."""
        return self.requests / self.seconds

    def require_only(self, status: int, load: str) -> None:
        """Raise BenchmarkFailed if an answer had another status, or a connection broke."""
        if set(self.statuses) != {str(status)} or self.broken:
            counts = ", ".join(f"{times} × {told}" for told, times in self.statuses.items())
            raise BenchmarkFailed(
                f"{load}: expected only {status}, got {counts or 'no answer'}"
                f" and {self.broken} broken connections"
            )


def percentile(sorted_values: Sequence[float], percent: float) -> float:
    """The value that `percent` of the values do not exceed (nearest rank); 0 if there are none."""
    if not sorted_values:
        return 0.0
    rank = -(-len(sorted_values) * percent // 100)
    return sorted_values[max(0, int(rank) - 1)]
