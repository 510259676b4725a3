"""How much Chirpy takes up, how soon it is there, and whether it grows."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from statistics import median
from time import perf_counter

from benchmarks import processes
from benchmarks.servers import PROJECT, Server

STARTS = 9
# What `import app` imports besides Chirpy and what these import, and how: app.py turns gc off too.
PACKAGES = ("argon2", "dotenv", "flask_sqlalchemy", "granian", "jwt", "marshmallow", "psycopg2")
PACKAGES_ALONE = f"import gc; gc.disable(); import {', '.join(PACKAGES)}"


def worker_mib(server: Server, workers: int) -> list[float]:
    """The resident memory of each worker; nothing where it is not known."""
    sizes = [processes.resident_mib(process) for process in processes.tree(server.process)[1:]]
    return sorted((size for size in sizes if size is not None), reverse=True)[:workers]


def shown(sizes: Sequence[float]) -> str:
    """The sizes in words."""
    return ", ".join(f"{size:.0f} MiB" for size in sizes) or "unknown on this system"


def import_seconds(environment: Mapping[str, str]) -> tuple[float, float]:
    """The usual times of `import app` and of its packages alone, without that of Python itself.

    They take turns, so that both meet the same machine.
    """
    statements = ("import app", PACKAGES_ALONE, "pass")
    rounds = [[once(each, environment) for each in statements] for _ in range(STARTS)]
    app, packages, python = map(median, zip(*rounds, strict=True))
    return app - python, packages - python


def once(statement: str, environment: Mapping[str, str]) -> float:
    """The time from the start of one Python to its exit, which takes nothing apart."""
    began = perf_counter()
    subprocess.run(
        [sys.executable, "-c", f"import os; {statement}; os._exit(0)"],
        cwd=PROJECT,
        env={**os.environ, **environment},
        check=True,
    )
    return perf_counter() - began
