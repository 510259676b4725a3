"""What a result was measured on and with."""

import os
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path

from benchmarks.servers import PROJECT

PACKAGES = ("Flask", "granian", "SQLAlchemy", "psycopg2-binary")
MODEL = ("model name", "Model", "Hardware")  # what /proc/cpuinfo calls it on x86, POWER and ARM


def description(postgres: str) -> dict[str, str]:
    """The machine, and the versions of all that serves on it; `postgres` as it says itself."""
    versions = {package: version(package) for package in PACKAGES}
    return {
        "Processor": f"{cores()} × {processor()}",
        "Memory": f"{memory_gib():.0f} GiB",
        "System": system(),
        "Python": platform.python_version(),
        "Postgres": postgres,
        **versions,
        "Revision": revision(),
    }


def processor() -> str:
    """The model of the processor."""
    lines = lines_of(Path("/proc/cpuinfo"))
    found = (value.strip() for name, _, value in lines if name.strip() in MODEL)
    return next(found, platform.processor() or platform.machine())


def cores() -> int:
    """The processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def memory_gib() -> float:
    """The memory of the machine."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30


def system() -> str:
    """The distribution, where it says so, and the kernel."""
    lines = lines_of(Path("/etc/os-release"), "=")
    named = [value.strip().strip('"') for name, _, value in lines if name == "PRETTY_NAME"]
    return ", ".join([*named, f"{platform.system()} {platform.release()}"])


def revision() -> str:
    """The commit that is checked out, with a `+` if files differ from it, results apart."""
    commit = git("rev-parse", "--short", "HEAD")
    changed = git("status", "--porcelain", "--", ".", ":!docs", ":!benchmarks/results")
    return f"{commit}{'+' if commit and changed else ''}" or "unknown"


def git(*arguments: str) -> str:
    """What git says, nothing if it is not there."""
    try:
        return subprocess.run(
            ["git", *arguments],  # noqa: S607 - whichever git it is
            cwd=PROJECT,
            capture_output=True,
            text=True,
            check=False,
        ).stdout.strip()
    except OSError:
        return ""


def lines_of(file: Path, separator: str = ":") -> list[tuple[str, str, str]]:
    """The lines of a file, each parted in two; none if the system has no such file."""
    if not file.exists():
        return []
    return [line.partition(separator) for line in file.read_text().splitlines()]
