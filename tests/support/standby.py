"""Run a hot standby of an embedded Postgres."""

import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from chirpy.devtools.postgres import EmbeddedPostgres
from chirpy.devtools.postgres.programs import runnable_by_owner
from chirpy.devtools.postgres.supervisor import as_owner
from tests.conftest import a_folder, postgres_folder


@contextmanager
def a_standby(postgres: EmbeddedPostgres) -> Iterator[str]:
    """Copy the data, and run the copy as a standby. Yield the path of its socket."""
    home = postgres_folder(folder := a_folder())
    home.mkdir(exist_ok=True)
    programs = runnable_by_owner(postgres.programs(), home)
    quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    options: dict[str, Any] = as_owner(home) | quiet
    backup = ["pg_basebackup", "-D", "data", "-R", "--checkpoint=fast", "-d", postgres.url]
    subprocess.run([programs / backup[0], *backup[1:]], check=True, **options)
    settings = [f"--unix_socket_directories={home}", "--listen_addresses=", "--fsync=off"]
    standby = subprocess.Popen([programs / "postgres", "-D", "data", *settings], **options)
    yield f"{home}/.s.PGSQL.{postgres.connection['port']}"
    standby.send_signal(signal.SIGQUIT)
    standby.wait()
    shutil.rmtree(folder)
