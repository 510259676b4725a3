"""An embedded Postgres for machines without one: kept in a folder, reached through a socket.

    psycopg2.connect(**EmbeddedPostgres(Path("instance/postgres")).ensure_running())

There is nothing to set up. The server runs as long as a process uses it.
"""

import fcntl
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryFile
from types import MappingProxyType
from typing import Any

from chirpy.devtools.postgres import supervisor
from chirpy.devtools.postgres.home import (
    EmbeddedPostgresError,
    has_supervisor,
    home_of,
    make_home,
    remove_home,
)
from chirpy.devtools.postgres.programs import find_programs, runnable_by_owner

__all__ = ["EmbeddedPostgres", "EmbeddedPostgresError"]

# libpq would read these from the environment, and connect to another server or not at all.
LIBPQ_VARIABLES = {"PGHOSTADDR", "PGSERVICE", "PGREQUIREAUTH", "PGTARGETSESSIONATTRS", "PGOPTIONS"}


class EmbeddedPostgres:
    """The Postgres in `folder`, shared by all processes that name the same folder.

    `settings` are those of postgresql.conf, for the server that this object starts.
    """

    def __init__(self, folder: Path, settings: Mapping[str, str] = MappingProxyType({})) -> None:
        self.folder = folder.parent.resolve() / folder.name  # not resolved: it may become a link
        self.data = self.folder / "data"
        self.log = self.folder / "server.log"
        self.settings = settings
        self._locks: list[int] = []  # forked processes inherit them, and so use the server

    @property
    def connection(self) -> dict[str, Any]:
        """The keyword arguments of `psycopg2.connect`, whether or not the server runs."""
        host = str(supervisor.socket_path(home_of(self.folder)).parent)
        return {"host": host, "port": supervisor.PORT, "user": "chirpy", "dbname": "chirpy"}

    @property
    def url(self) -> str:
        """The connection as a URL."""
        return "postgresql://{user}@/{dbname}?host={host}&port={port}".format_map(self.connection)

    def programs(self) -> Path:
        """Return the folder of the programs (`psql`, `pgbench`) that fit the data."""
        return find_programs(home_of(self.folder))

    def ensure_running(self) -> dict[str, Any]:
        """Start the server unless it runs, and keep it running until this process ends.

        Takes 0.3 ms if it runs. Raise EmbeddedPostgresError if it cannot be started.
        """
        home = home_of(self.folder)
        while not (self._holds_lock() and supervisor.is_ready(home) and has_supervisor(home)):
            self._lock_or_start(make_home(self.folder))
        for name in LIBPQ_VARIABLES & os.environ.keys():
            del os.environ[name]
        return self.connection

    def release(self) -> None:
        """Stop using the server, which stops unless another process uses it."""
        while self._locks:
            os.close(self._locks.pop())

    def destroy(self) -> None:
        """Stop the server, even while other processes use it, and delete its data."""
        self.release()
        remove_home(self.folder)

    def _holds_lock(self) -> bool:
        return any(os.fstat(held).st_nlink for held in self._locks)  # 0 if the data were deleted

    def _lock_or_start(self, home: Path) -> None:
        """Take one step towards a server that runs and that this process uses."""
        if not self._holds_lock():
            taken = supervisor.open_file(home / supervisor.USERS)
            if supervisor.try_lock(taken, fcntl.LOCK_SH):
                self._locks.append(taken)
            else:  # the server is being stopped
                os.close(taken)
        if has_supervisor(home):
            time.sleep(supervisor.PAUSE)
        else:
            self._start(home, runnable_by_owner(find_programs(home), home))

    def _start(self, home: Path, programs: Path) -> None:
        """Run the supervisor, which ends when the server is ready or has failed to start."""
        settings = [f"{name}={value}" for name, value in self.settings.items()]
        command = [sys.executable, "-I", supervisor.__file__, str(home), str(programs), *settings]
        # Nothing else reaches the server: no PG* variable, no secret key.
        clean = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
        # Ctrl-C in the terminal is for the application only: a new session. Output to a file: a
        # pipe would stay open as long as the supervisor runs.
        options: dict[str, Any] = {"cwd": "/", "env": clean, "start_new_session": True, "input": ""}
        with TemporaryFile("w+", errors="replace") as output:
            ended = subprocess.run(command, check=False, stdout=output, stderr=output, **options)
            output.seek(0)
            if ended.returncode != 0:
                problem = f"Postgres did not start:\n{output.read()}The log is {self.log}.\n"
                step = "fix that, or delete its data with `make clean`, or set DB_URL in .env"
                raise EmbeddedPostgresError(f"{problem}Next: {step}")
