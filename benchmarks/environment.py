"""What the benchmark starts: a Postgres with many rows, and servers on it."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from secrets import token_hex
from time import monotonic, sleep
from typing import Any, NamedTuple

import click
import psutil
import psycopg2

from benchmarks.api import BenchmarkError, Request, send
from chirpy.devtools.postgres import EmbeddedPostgres

PROJECT = Path(__file__).parents[1]
FIRST = 100_000_000_000  # the number in which the first id ends
USER_ID, CHIRP_ID = "00000000-0000-4000-8000-", "00000000-0000-4000-9000-"
USER_IDS = [f"{USER_ID}{FIRST + number}" for number in range(1000)]
CHIRP_IDS = [f"{CHIRP_ID}{FIRST + number}" for number in range(10_000)]
WORKERS = 2


class Database(NamedTuple):
    """The database, and the log of its Postgres."""

    url: str
    log: Path

    def execute(self, statement: str) -> list[tuple[Any, ...]]:
        """Run a statement, commit it, and return its rows."""
        with closing(psycopg2.connect(self.url)) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement)
                return cursor.fetchall() if cursor.description else []

    def seed(self, rows: int) -> None:
        """Insert users, and so many chirps and events. The tables must exist."""
        click.echo(f"Creating {rows:,} chirps and events")
        for name in ("users", "chirps", "events"):
            sql = (Path(__file__).with_name("sql") / f"{name}.sql").read_text()
            self.execute(sql.format(last=rows - 1))
        self.execute("VACUUM ANALYZE")
        self.execute("CHECKPOINT")


@contextmanager
def run_postgres() -> Iterator[Database]:
    """Start a Postgres in a temporary folder; stop and delete it afterwards."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # it then ends as with Ctrl-C
    folder = Path(tempfile.mkdtemp(prefix="chirpy-benchmarks-"))
    folder.chmod(0o711)  # run by root, Postgres switches to a user who must be able to enter it
    postgres = EmbeddedPostgres(folder / "postgres")
    try:
        postgres.ensure_running()
        yield Database(postgres.url, postgres.log)
    finally:
        postgres.destroy()
        shutil.rmtree(folder)


def settings(database_url: str) -> dict[str, str]:
    """Return the settings of Chirpy, with empty ones so that the user's `.env` has no effect."""
    unset = dict.fromkeys(
        ("PLATFORM", "SECRET", "POLKA_WEBHOOK_SECRETS", "HOST", "LOG_REQUESTS", "THREADS"), ""
    )
    secrets = {"JWT_SECRET": token_hex(32), "POLKA_KEY": token_hex(16)}
    return {**unset, **secrets, "WORKERS": str(WORKERS), "DB_URL": database_url}


@contextmanager
def run_server(environment: Mapping[str, str], *arguments: str) -> Iterator[tuple[str, int]]:
    """Run Chirpy, or Python with `arguments`; yield the URL and the id of the main process."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = str(probe.getsockname()[1])
    with tempfile.NamedTemporaryFile() as output:
        process = subprocess.Popen(
            [sys.executable, *(arguments or ["app.py"])],
            cwd=PROJECT,
            env={**os.environ, **environment, "PORT": port, "GRANIAN_PORT": port},
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C is for the benchmark, which then stops its servers
        )
        try:
            url = f"http://127.0.0.1:{port}"
            wait_until_ready(url, process, Path(output.name))
            yield url, process.pid
        finally:
            process.terminate()
            process.wait()


def wait_until_ready(url: str, process: subprocess.Popen[bytes], output: Path) -> None:
    """Wait until the server responds. Raise BenchmarkError with its output if it does not."""
    deadline = monotonic() + 30  # seconds
    while process.poll() is None and monotonic() < deadline:
        with suppress(BenchmarkError):
            send(url, Request("GET", "/api/healthz"), 200)
            return
        sleep(0.05)
    raise BenchmarkError(f"{url} did not start:\n{output.read_text()}")


def cpu_seconds(process_id: int) -> float:
    """Return the CPU time of a process and its descendants, also of those that have ended."""
    root, total = psutil.Process(process_id), 0.0
    for process in (root, *root.children(recursive=True)):
        with suppress(psutil.NoSuchProcess):
            total += sum(process.cpu_times()[:4])  # user and system, its own and of its children
    return total
