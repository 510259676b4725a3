"""How much Chirpy takes up, how soon it is there, and whether it grows."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from statistics import median
from time import perf_counter

from benchmarks import processes
from benchmarks.servers import PROJECT, Server

STARTS = 5


def worker_mib(server: Server, workers: int) -> list[float]:
    """The resident memory of each worker; nothing where it is not known."""
    sizes = [processes.resident_mib(process) for process in processes.tree(server.process)[1:]]
    return sorted((size for size in sizes if size is not None), reverse=True)[:workers]


def shown(sizes: Sequence[float]) -> str:
    """The sizes in words."""
    return ", ".join(f"{size:.0f} MiB" for size in sizes) or "unknown on this system"


def import_seconds(environment: Mapping[str, str]) -> float:
    """The time of `import app` in a new Python, without that of Python itself."""
    return seconds("import app", environment) - seconds("pass", environment)


def seconds(statement: str, environment: Mapping[str, str]) -> float:
    """The usual time of a new Python that does one thing."""
    return median(once(statement, environment) for _ in range(STARTS))


def once(statement: str, environment: Mapping[str, str]) -> float:
    """The time from start to end of one Python."""
    began = perf_counter()
    subprocess.run(
        [sys.executable, "-c", statement],
        cwd=PROJECT,
        env={**os.environ, **environment},
        check=True,
    )
    return perf_counter() - began
