"""Put servers under load with wrk, and check the status of every response."""

import json
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from secrets import token_hex
from typing import NamedTuple

from benchmarks.api import TIMEOUT, UNIQUE, BenchmarkError, Request
from benchmarks.environment import cpu_seconds

SCRIPT = Path(__file__).with_name("wrk.lua")
NO_WRK = "wrk is missing.\nNext: `apt install wrk` (Debian, Ubuntu) or `brew install wrk` (macOS)"


class Load(NamedTuple):
    """How much load to apply: seconds of each round, open connections, rounds that count."""

    seconds: int
    connections: int
    rounds: int


class Measurement(NamedTuple):
    """What a round of load measured. The CPU times, per request, are 0 where unknown."""

    requests: float
    per_second: float
    p50_ms: float = 0
    p99_ms: float = 0
    cpu_ms: float = 0
    postgres_cpu_ms: float = 0


def run_wrk(
    url: str, requests: Sequence[Request], status: int, load: Load, processes: Sequence[int] = ()
) -> Measurement:
    """Apply one round of load. Raise BenchmarkError if any response has another status."""
    size = [f"-t{min(2, load.connections)}", f"-c{load.connections}", f"-d{load.seconds}s"]
    options = [*size, f"--timeout={TIMEOUT}s", f"--script={SCRIPT}", url, "--"]
    with tempfile.NamedTemporaryFile("w") as file:
        file.write("\0".join(request.raw(url.removeprefix("http://")) for request in requests))
        file.flush()
        before = [cpu_seconds(process) for process in processes]
        printed = run("wrk", *options, file.name, UNIQUE, token_hex(4))
        after = [cpu_seconds(process) for process in processes]
    measured = parse_output(printed, status, f"{requests[0].method} {url}{requests[0].path}")
    spent = [end - start for start, end in zip(before, after, strict=True)]
    return Measurement(*measured[:4], *(1000 * one / measured.requests for one in spent))


def parse_output(printed: str, status: int, name: str) -> Measurement:
    """Read the last line that wrk printed. Raise BenchmarkError if any response was wrong."""
    result = json.loads(printed.splitlines()[-1])
    if set(result["statuses"]) != {str(status)} or result["broken"]:
        counts = ", ".join(f"{count} × {got}" for got, count in result["statuses"].items())
        problem = f"expected only status {status}, got {counts or 'no response'}"
        raise BenchmarkError(f"{name}: {problem}, and {result['broken']} broken connections")
    requests = result["statuses"][str(status)]
    return Measurement(requests, requests / result["seconds"], result["p50_ms"], result["p99_ms"])


def run(program: str, *arguments: str) -> str:
    """Run a program and return what it prints. Raise BenchmarkError if it fails."""
    done = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise BenchmarkError(f"{program} failed: {done.stderr or done.stdout}")
    return done.stdout


def require_wrk() -> None:
    """Raise BenchmarkError unless wrk is installed."""
    if shutil.which("wrk") is None:
        raise BenchmarkError(NO_WRK)
