"""A real server: `python app.py` in a process of its own, talked to over HTTP."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPMessage
from itertools import count
from pathlib import Path
from typing import Any, Self

from sqlalchemy import URL

from chirpy.devtools.postgres import PrivatePostgres
from chirpy.settings import PARSERS
from tests.support.databases import POLKA_KEY, url_text

PROJECT = Path(__file__).parents[2]
TIMEOUT = 30  # seconds for what takes a fraction of one on a quiet machine
STOP_TIMEOUT = 10  # seconds; workers that have not ended after 15 are killed, requests and all
SETTINGS = {*PARSERS, "SECRET"}
NO_SETTINGS = dict.fromkeys(SETTINGS, "")  # keeps out whatever the project's `.env` says
SECRETS = {"JWT_SECRET": "only the server signs with this.", "POLKA_KEY": POLKA_KEY}
SMALL_SERVER = {"PLATFORM": "dev", "WORKERS": "1", "THREADS": "4"}
# Not those that the system gives to whoever asks: another might, before our server has taken it.
# Each process of the tests begins elsewhere, so that two of them hardly ever choose the same.
PORTS = count(10_000 + os.getpid() * 100 % 20_000)


@dataclass(frozen=True)
class Response:
    """What a server answered, read to its end."""

    status: int
    headers: HTTPMessage
    body: bytes

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode()

    @property
    def json(self) -> Any:
        """The body as the JSON it holds."""
        return json.loads(self.body)


class Server:
    """`python app.py` in `folder` with the settings `given`, from `with` to its end."""

    def __init__(self, folder: Path = PROJECT, **given: str) -> None:
        self.folder = folder
        self.port = int(given.get("PORT") or free_port())
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = environment(given | {"PORT": str(self.port)})
        self._orphans: list[int] = []

    def __enter__(self) -> Self:
        self._output = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            [sys.executable, self.folder / "app.py"],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # with its workers a group of its own, as in a terminal
        )
        try:
            wait_until(self.is_ready)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        known = self.workers
        self.stop()
        for worker in known:
            with suppress(ProcessLookupError):
                os.kill(worker, signal.SIGKILL)
        self._output.close()

    def kill(self) -> None:
        """End the main process as `kill -9` does; its workers are what is left of it."""
        self._orphans = self.workers
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        """Send SIGTERM and return the exit code."""
        self.process.terminate()
        try:
            return self.process.wait(TIMEOUT)
        finally:
            self.process.kill()
            self.process.wait()

    def is_ready(self) -> bool:
        """Whether it answers. Raises AssertionError, with its log, when it has ended."""
        assert self.process.poll() is None, self.log
        if f"serves on {self.url} " not in self.log:  # whoever answers there is another
            return False
        with suppress(OSError, HTTPException):
            return self.request("GET", "/api/healthz").status == 200
        return False

    def request(
        self, method: str, path: str, body: object = None, headers: Mapping[str, str] | None = None
    ) -> Response:
        """Send one request, with `body` as JSON, on a connection of its own."""
        sent = None if body is None else json.dumps(body)
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT)) as connection:
            connection.request(method, path, sent, dict(headers or {}))
            with connection.getresponse() as response:
                return Response(response.status, response.headers, response.read())

    def send(self, request: bytes, *, close_after: bool = False) -> bytes:
        """Send bytes as they are; return what comes back until the server closes."""
        with self.connect() as connection:
            with suppress(
                ConnectionError
            ):  # refused before its end, it may be answered all the same
                connection.sendall(request)
                if close_after:
                    connection.shutdown(socket.SHUT_WR)
            return read_all(connection)

    def connect(self) -> socket.socket:
        """Open a bare connection."""
        return socket.create_connection(("127.0.0.1", self.port), TIMEOUT)

    @property
    def workers(self) -> list[int]:
        """The process ids of its workers, or of those it had when it was killed."""
        if self._orphans:
            return self._orphans
        return child_processes(self.process.pid)

    @property
    def log(self) -> str:
        """What it and its workers have printed so far."""
        # Not by seek and read: its place in the file is also where the server writes next.
        output = self._output.fileno()
        return os.pread(output, os.fstat(output).st_size, 0).decode()


def a_server(url: URL, **changes: str) -> Server:
    """A small server for development, on the database at `url`."""
    given = NO_SETTINGS | SECRETS | SMALL_SERVER | {"DB_URL": url_text(url)}
    return Server(PROJECT, **given | changes)


def run_python(folder: Path, *arguments: str, **given: str) -> subprocess.CompletedProcess[str]:
    """Run Python in `folder` with the settings `given`, to its end; `stdout` is all it prints."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=environment(given),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=TIMEOUT,
        text=True,
        check=False,
    )


def environment(given: Mapping[str, str]) -> dict[str, str]:
    """The environment of this process, with the settings `given` and no others."""
    kept = {name: value for name, value in os.environ.items() if name not in SETTINGS}
    return kept | dict(given)


def child_processes(parent: int) -> list[int]:
    """The ids of the processes that this one has started, save Python's own tracker."""
    listed = subprocess.check_output(["ps", "-A", "-o", "ppid=,pid=,args="], text=True)
    processes = (line.split(maxsplit=2) for line in listed.splitlines())
    return [
        int(pid)
        for of, pid, arguments in processes
        if int(of) == parent and "resource_tracker" not in arguments
    ]


def free_port() -> int:
    """A port on which nobody listens."""
    return next(filter(is_free, PORTS))


def is_free(port: int) -> bool:
    """Whether nobody listens on it."""
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def read_all(connection: socket.socket) -> bytes:
    """What arrives until the other side closes, politely or not."""
    received = b""
    with suppress(ConnectionError):
        while piece := connection.recv(65536):
            received += piece
    return received


def wait_until(true: Callable[[], object]) -> None:
    """Ask again and again until the answer is yes."""
    deadline = time.monotonic() + TIMEOUT
    while not true():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def crash_postgres(postgres: PrivatePostgres) -> None:
    """End Postgres at once, as a failure would, and wait until its socket is dead."""
    os.kill(int((postgres.data / "postmaster.pid").read_text().split()[0]), signal.SIGQUIT)
    address = "{host}/.s.PGSQL.{port}".format_map(postgres.connection)

    def is_gone() -> bool:
        with socket.socket(socket.AF_UNIX) as caller:
            return caller.connect_ex(address) != 0

    wait_until(is_gone)
