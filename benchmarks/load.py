"""Put a server under load: by wrk where it is installed, else by the generator bundled here."""

import json
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from urllib.parse import urlsplit

from benchmarks.asking import UNIQUE
from benchmarks.cases import Deck
from benchmarks.conversation import PATIENCE
from benchmarks.failures import BenchmarkFailed
from benchmarks.measures import Measure

SCRIPT = Path(__file__).with_name("wrk.lua")
THREADS = 2  # of wrk
PROGRAMS = ("wrk", "python") if shutil.which("wrk") else ("python",)  # the best first
STARTING = 20  # seconds a generator may take besides the load itself


@dataclass(frozen=True)
class Generator:
    """How load is made, for how long, over how many connections."""

    seconds: float = 4
    connections: int = 16
    program: str = PROGRAMS[0]

    def run(self, url: str, deck: Deck) -> Measure:
        """Deal `deck` to the server at `url`."""
        host = urlsplit(url).netloc
        with tempfile.NamedTemporaryFile("w") as file:
            file.write("\0".join(request.raw(host) for request in deck))
            file.flush()
            command = self._wrk(url) if self.program == "wrk" else self._python(url)
            return read(run([*command, file.name, UNIQUE, token_hex(4)], self.seconds))

    def _wrk(self, url: str) -> list[str]:
        threads = min(THREADS, self.connections)
        seconds = max(1, round(self.seconds))  # it knows whole ones only
        size = [f"-t{threads}", f"-c{self.connections}", f"-d{seconds}s", f"--timeout={PATIENCE}s"]
        return ["wrk", *size, "-s", str(SCRIPT), url, "--"]

    def _python(self, url: str) -> list[str]:
        size = [str(self.seconds), str(self.connections)]
        return [sys.executable, "-m", "benchmarks.generator", url, *size]


def run(command: list[str], seconds: float) -> str:
    """What `command` prints. Raises BenchmarkFailed."""
    folder = SCRIPT.parents[1]
    try:
        return subprocess.run(
            command,
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=seconds + STARTING,
            check=True,
        ).stdout
    except subprocess.CalledProcessError as error:
        raise BenchmarkFailed(f"{command[0]} failed: {error.stderr or error.stdout}") from None
    except subprocess.TimeoutExpired:
        raise BenchmarkFailed(f"{command[0]} did not end") from None


def read(printed: str) -> Measure:
    """The measure in the last line of what a generator printed."""
    try:
        return Measure(**json.loads(printed.strip().splitlines()[-1]))
    except (IndexError, ValueError, TypeError):
        raise BenchmarkFailed(f"No measure in what the generator printed: {printed!r}") from None
