"""Run `python app.py` as a process, and send requests to it."""

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

from chirpy.devtools.postgres import EmbeddedPostgres
from chirpy.settings.parsers import PARSERS
from tests.support.databases import POLKA_KEY, url_text

PROJECT = Path(__file__).parents[2]
TIMEOUT = 30  # seconds for what takes less than one on an idle machine
STOP_TIMEOUT = 10  # seconds; less than the 15 after which the server kills its workers
SETTINGS = {*PARSERS, "SECRET"}
NO_SETTINGS = dict.fromkeys(SETTINGS, "")  # they take precedence over the project's `.env`
SECRETS = {"JWT_SECRET": "only the server signs with this.", "POLKA_KEY": POLKA_KEY}
SMALL_SERVER = {"PLATFORM": "dev", "WORKERS": "1", "THREADS": "4"}
# Below the ports that the system chooses itself, so that no connection takes a port before its
# server. Each process of pytest-xdist starts with another number.
PORTS = count(10_000 + os.getpid() * 100 % 20_000)


@dataclass(frozen=True)
class Response:
    """A complete response of the server."""

    status: int
    headers: HTTPMessage
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Server:
    """`python app.py` in `folder`, with `settings` in its environment. Use it in a `with` block."""

    def __init__(self, folder: Path = PROJECT, **settings: str) -> None:
        self.folder = folder
        self.port = int(settings.get("PORT") or free_port())
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = environment(settings | {"PORT": str(self.port)})

    def __enter__(self) -> Self:
        self._output = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            [sys.executable, self.folder / "app.py"],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # with its workers in a process group, as in a terminal
        )
        try:
            wait_until(self.is_ready)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)  # its workers, if they still run
        self._output.close()

    def stop(self) -> int:
        """Send SIGTERM and return the exit code."""
        self.process.terminate()
        try:
            return self.process.wait(TIMEOUT)
        finally:
            self.process.kill()
            self.process.wait()

    def is_ready(self) -> bool:
        """Return whether it answers. Raise AssertionError with its log if it has ended."""
        assert self.process.poll() is None, self.log
        if f"serves on {self.url} " not in self.log:  # another server may answer at this port
            return False
        with suppress(OSError, HTTPException):
            return self.request("GET", "/api/healthz").status == 200
        return False

    def request(
        self, method: str, path: str, body: object = None, headers: Mapping[str, str] | None = None
    ) -> Response:
        """Send one request, with `body` as JSON, on a new connection."""
        content = None if body is None else json.dumps(body)
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT)) as connection:
            connection.request(method, path, content, dict(headers or {}))
            with connection.getresponse() as response:
                return Response(response.status, response.headers, response.read())

    def send(self, request: bytes, *, close_after: bool = False) -> bytes:
        """Send the bytes of a request, and return all that the server sends until it closes."""
        with self.connect() as connection:
            with suppress(ConnectionError):  # the server may answer and close before the end
                connection.sendall(request)
                if close_after:
                    connection.shutdown(socket.SHUT_WR)
            return read_all(connection)

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), TIMEOUT)

    @property
    def workers(self) -> list[int]:
        """The process ids of the workers."""
        return child_processes(self.process.pid)

    @property
    def log(self) -> str:
        """All that the server and its workers have printed."""
        # pread, because the server writes where this file is positioned.
        output = self._output.fileno()
        return os.pread(output, os.fstat(output).st_size, 0).decode()


def a_server(url: URL, **changes: str) -> Server:
    """Return a small server in development mode, on the database at `url`."""
    settings = NO_SETTINGS | SECRETS | SMALL_SERVER | {"DB_URL": url_text(url)}
    return Server(PROJECT, **settings | changes)


def run_python(folder: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run Python in `folder` with `settings`. `stdout` of the result includes the errors."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=environment(settings),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=TIMEOUT,
        text=True,
        check=False,
    )


def environment(settings: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of this process, with `settings` instead of its own."""
    return {name: text for name, text in os.environ.items() if name not in SETTINGS} | {**settings}


def child_processes(parent: int) -> list[int]:
    """Return the ids of the processes that `parent` has started, without Python's own tracker."""
    listed = subprocess.check_output(["ps", "-A", "-o", "ppid=,pid=,args="], text=True)
    rows = (row.split(maxsplit=2) for row in listed.splitlines() if "resource_tracker" not in row)
    return [int(pid) for ppid, pid, *_ in rows if int(ppid) == parent]


def free_port() -> int:
    """Return a port on which no process listens."""
    for port in PORTS:
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            break
    return port


def read_all(connection: socket.socket) -> bytes:
    """Return what arrives until the other side closes or resets the connection."""
    received = b""
    with suppress(ConnectionError):
        while data := connection.recv(65536):
            received += data
    return received


def wait_until(condition: Callable[[], object]) -> None:
    """Call `condition` until it returns a true value. Raise AssertionError after 30 seconds."""
    deadline = time.monotonic() + TIMEOUT
    while not condition():
        assert time.monotonic() < deadline, "timeout"
        time.sleep(0.02)


def crash_postgres(postgres: EmbeddedPostgres) -> None:
    """Stop Postgres as a crash would, and wait until it accepts no connection."""
    os.kill(int((postgres.data / "postmaster.pid").read_text().split()[0]), signal.SIGQUIT)
    address = "{host}/.s.PGSQL.{port}".format_map(postgres.connection)

    def is_stopped() -> bool:
        with socket.socket(socket.AF_UNIX) as client:
            return client.connect_ex(address) != 0

    wait_until(is_stopped)
