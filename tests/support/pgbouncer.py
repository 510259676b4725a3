"""Run PgBouncer in front of a database."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg2
import pytest
from sqlalchemy import URL

from tests.support.databases import url_text
from tests.support.server import free_port, wait_until

PROGRAM = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")

needs_pgbouncer = pytest.mark.skipif(
    not (PROGRAM or os.environ.get("CI")), reason="pgbouncer is not installed"
)


@contextmanager
def pgbouncer(url: URL, folder: Path, pool_mode: str, **options: str) -> Iterator[URL]:
    """Yield the URL of the database at `url`, which must use a socket, through PgBouncer."""
    assert PROGRAM
    port = free_port()
    settings = {
        "listen_addr": "127.0.0.1",
        "listen_port": str(port),
        "auth_type": "any",
        "pool_mode": pool_mode,
    }
    lines = [f"{name} = {value}" for name, value in (settings | options).items()]
    database = f"* = host={url.query['host']} port={url.query['port']} user={url.username}"
    (folder / "pgbouncer.ini").write_text(
        "\n".join(["[databases]", database, "[pgbouncer]", *lines, ""])
    )
    user = "nobody" if os.geteuid() == 0 else None  # it refuses root
    command = [PROGRAM, "--quiet", str(folder / "pgbouncer.ini")]
    process = subprocess.Popen(command, user=user, stderr=subprocess.DEVNULL)
    through = URL.create(url.drivername, url.username, None, "127.0.0.1", port, url.database)

    def is_ready() -> bool:
        with suppress(psycopg2.OperationalError):
            psycopg2.connect(url_text(through)).close()
            return True
        return False

    try:
        wait_until(is_ready)
        yield through
    finally:
        process.kill()
        process.wait()
