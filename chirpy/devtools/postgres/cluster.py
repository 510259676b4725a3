"""One Postgres server: started, looked at and stopped."""

import shlex
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NoReturn

from chirpy.devtools.postgres import data, locks
from chirpy.devtools.postgres.failures import PostgresFailed
from chirpy.devtools.postgres.place import PORT, SOCKET, Place
from chirpy.devtools.postgres.programs import Programs

LONGEST_WAIT = 60.0  # seconds; only recovery after a crash takes more than one
STATUS_LINE = 7  # of postmaster.pid, counted from 0: "starting", "ready" or "stopping"
LOG_LINES = 10  # of the server's log, enough to see why it did not start


@dataclass(frozen=True)
class Cluster:
    """The server of one place. Whoever starts or stops it has the turn."""

    place: Place
    settings: Mapping[str, str]

    def answers(self) -> bool:
        """Whether a server listens: asked by a call that is hung up at once (50 microseconds)."""
        with socket.socket(socket.AF_UNIX) as caller:
            caller.settimeout(1)
            try:
                caller.connect(str(self.place.sockets / SOCKET))
            except (BlockingIOError, TimeoutError):
                return True  # too busy to take the call, hence alive
            except OSError:
                return False
            return True

    def is_ready(self) -> bool:
        """Whether it listens and is neither starting nor stopping."""
        try:
            lines = (self.place.data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        status = "".join(lines[STATUS_LINE : STATUS_LINE + 1])
        return status.strip() == "ready" and self.answers()

    def be_ready(self) -> None:
        """Make and start what is missing; wait for what is starting, stopping or dying."""
        deadline = time.monotonic() + LONGEST_WAIT
        while not self.is_ready():
            with locks.life(self.place) as life:
                if life is not None:
                    self._start(life)
                    break
            if time.monotonic() > deadline:
                self._fail("An earlier Postgres neither answers nor ends.")
            time.sleep(locks.PAUSE)

    def stop(self, mode: str) -> None:
        """Stop the server if there is one, and wait for the last of its processes."""
        if not self._is_up():
            return
        deadline = time.monotonic() + LONGEST_WAIT
        programs = Programs.of(self.place)
        while self._is_up():
            # Told again and again: one that is only beginning to start cannot be told yet.
            told = programs.run("pg_ctl", "stop", "--mode", mode, "--pgdata", "data")
            if time.monotonic() > deadline:
                self._fail("Postgres did not stop.", told.stderr)
            time.sleep(locks.PAUSE)
        self.place.remove_sockets()

    def _is_up(self) -> bool:
        return self.answers() or locks.is_alive(self.place)

    def _start(self, life: int) -> None:
        """Start the server, which inherits `life`; nothing of an earlier one is left."""
        programs = Programs.of(self.place)
        self.place.prepare_sockets()
        if not self.place.data.exists():
            data.make(programs, self.settings, [life])
        # The process ids in them may be a stranger's by now, who keeps Postgres from starting.
        (self.place.data / "postmaster.pid").unlink(missing_ok=True)
        (self.place.sockets / f"{SOCKET}.lock").unlink(missing_ok=True)
        before = self._logged()
        options = ("--pgdata", "data", "--log", self.place.log.name, "--options", self._options())
        told = programs.run("pg_ctl", "start", *options, keep_open=[life])
        if told.returncode != 0:
            self._fail(
                "Postgres did not start.", self._logged().removeprefix(before) or told.stderr
            )

    def _options(self) -> str:
        """Return what the server is told, as one text that a shell will split."""
        sockets = str(self.place.sockets).replace('"', '""')
        ours = {
            "listen_addresses": "",  # the socket only: no network, no port that is taken
            "unix_socket_directories": f'"{sockets}"',
            "port": str(PORT),
            "timezone": "UTC",
            "log_timezone": "UTC",
        }
        return shlex.join(f"--{name}={value}" for name, value in (ours | {**self.settings}).items())

    def _logged(self) -> str:
        return self.place.log.read_text(errors="replace") if self.place.log.exists() else ""

    def _fail(self, problem: str, said: str = "") -> NoReturn:
        last = "\n".join((said or self._logged()).splitlines()[-LOG_LINES:])
        raise PostgresFailed(
            f"{problem} The last lines of {self.place.log}:\n{last}\n"
            "Mend that, or start afresh after `make clean`, or set DB_URL in .env."
        )
