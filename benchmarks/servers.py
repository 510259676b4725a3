"""A server in processes of its own, for as long as it is measured."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from time import monotonic, sleep
from typing import IO, NoReturn, ParamSpec, TypeVar

from benchmarks import processes
from benchmarks.asking import Ask, Caller
from benchmarks.failures import BenchmarkFailed

PROJECT = Path(__file__).parents[1]
PATIENCE = 30  # seconds to start, to rest or to stop
LAST_WORDS = 2000  # characters
PAUSE = 0.05  # seconds between two looks
REST = 0.2  # seconds; twenty ticks of the clock that counts computing
P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True)
class Server:
    """Where it listens, and its main process."""

    url: str
    process: int

    @property
    def cpu_seconds(self) -> float | None:
        """The time that all its processes have computed."""
        return processes.cpu_seconds(self.process)

    def come_to_rest(self) -> None:
        """Wait until hardly anything is computed; where that is unknown, don't.

        When a load ends, there is a request under way on each of its connections. What is done for
        those, though nobody waits for it, would keep the next load waiting. Raises BenchmarkFailed.
        """
        deadline, before = monotonic() + PATIENCE, None
        while (now := self.cpu_seconds) != before:
            if monotonic() > deadline:
                raise BenchmarkFailed(f"{self.url} does not come to rest")
            before = now
            sleep(REST)


def stopped_tidily(act: Callable[P, R]) -> Callable[P, R]:
    """Let SIGTERM and a closed terminal end `act` as Ctrl-C does: with all that it started."""

    @wraps(act)
    def until_stopped(*args: P.args, **kwargs: P.kwargs) -> R:
        def end(number: int, _: object) -> NoReturn:
            sys.exit(128 + number)

        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, end)
        return act(*args, **kwargs)

    return until_stopped


@contextmanager
def serving(command: list[str], environment: Mapping[str, str]) -> Iterator[Server]:
    """Run Python with `command`, on a port of its own, until the `with` ends."""
    port = a_free_port()
    with (
        tempfile.TemporaryFile() as output,
        subprocess.Popen(
            [sys.executable, *command],
            cwd=PROJECT,
            env={**os.environ, **environment, "PORT": str(port)},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C is for us alone; we then stop it
        ) as process,
    ):
        server = Server(f"http://127.0.0.1:{port}", process.pid)
        try:
            wait_for(server, process)
            yield server
        except BenchmarkFailed as failure:
            if server.url not in failure.message:
                raise
            said = f"{failure.message}\nIts last words:\n{last_of(output)}"
            raise BenchmarkFailed(said) from None
        finally:
            stop(process)


def wait_for(server: Server, process: subprocess.Popen[bytes]) -> None:
    """Wait until it answers. Raises BenchmarkFailed."""
    caller, deadline = Caller(server.url), monotonic() + PATIENCE
    while process.poll() is None and monotonic() < deadline:
        try:
            caller.ask(Ask("GET", "/api/healthz"))
        except BenchmarkFailed:
            sleep(PAUSE)
        else:
            return
    raise BenchmarkFailed(f"{server.url} did not start")


def last_of(output: IO[bytes]) -> str:
    """The end of what it printed."""
    output.seek(0)
    return output.read().decode()[-LAST_WORDS:]


def stop(process: subprocess.Popen[bytes]) -> None:
    """End it, politely if it can be had."""
    process.terminate()
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()


def a_free_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
