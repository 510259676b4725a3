"""What a run came to, kept as JSON."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

FOLDER = Path(__file__).with_name("results")


@dataclass(frozen=True)
class Row:
    """One case: what the server did, and what bounds it, both in requests a second.

    `server_ms` and `postgres_ms` are CPU time a request; `stolen_ms` is what other users of the
    machine took from it during the load of which p50 and p99 are. None where not measured.
    """

    case: str
    per_second: float
    p50_ms: float
    p99_ms: float
    stolen_ms: float | None = None
    server_ms: float | None = None
    postgres_ms: float | None = None
    pgbench: float | None = None
    bare: float | None = None


@dataclass(frozen=True)
class Point:
    """A case at one number of connections."""

    connections: int
    per_second: float
    p99_ms: float


@dataclass(frozen=True)
class Memory:
    """What Chirpy takes up, and how long it takes to be there.

    `packages_seconds` is what its packages take without Chirpy; None in results that are older.
    """

    import_seconds: float
    worker_mib: Sequence[float] = ()
    packages_seconds: float | None = None


@dataclass(frozen=True)
class Result:
    """A whole run."""

    date: str
    conditions: str
    machine: Mapping[str, str]
    rows: Sequence[Row]
    memory: Memory | None = None
    curves: Mapping[str, Sequence[Point]] = field(default_factory=dict)

    @classmethod
    def load(cls, file: Path) -> Self:
        """Read what was saved."""
        kept: dict[str, Any] = json.loads(file.read_text())
        memory = kept.pop("memory")
        curves = kept.pop("curves")
        return cls(
            **{**kept, "rows": [Row(**row) for row in kept["rows"]]},
            memory=memory and Memory(**memory),
            curves={case: [Point(**point) for point in curves[case]] for case in curves},
        )


def save(result: Any, name: str) -> Path:
    """Write it where results are kept; a second run on the same day replaces the first."""
    FOLDER.mkdir(exist_ok=True)
    file = FOLDER / f"{name}.json"
    file.write_text(json.dumps(asdict(result), indent=2, ensure_ascii=False) + "\n")
    return file
