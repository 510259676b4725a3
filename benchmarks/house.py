"""Chirpy as in production, on a Postgres of its own that keeps what it promises."""

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from secrets import token_hex
from typing import Any

import psycopg2

from benchmarks import processes
from benchmarks.failures import BenchmarkFailed
from benchmarks.servers import Server, serving
from chirpy.devtools.postgres import EmbeddedPostgres

WORKERS, THREADS = 2, 4
CONNECTIONS = "300"  # pgbench takes up to 256, Chirpy sixteen, the bare view eight
DURABLE = ("fsync", "synchronous_commit", "full_page_writes")


@dataclass(frozen=True)
class House:
    """A running Postgres, and the environment in which servers find a database of it."""

    postgres: EmbeddedPostgres
    environment: Mapping[str, str]

    @property
    def database(self) -> str:
        """The URL of its database."""
        return self.environment["DB_URL"]

    @property
    def polka_key(self) -> str:
        """What proves a delivery."""
        return self.environment["POLKA_KEY"]

    @property
    def postgres_cpu_seconds(self) -> float | None:
        """The time that all processes of Postgres have computed."""
        main = (self.postgres.data / "postmaster.pid").read_text().split()[0]
        return processes.cpu_seconds(int(main))

    @property
    def postgres_version(self) -> str:
        """As it says itself."""
        [[version]] = self.sql("SHOW server_version")
        return str(version)

    def chirpy(self) -> AbstractContextManager[Server]:
        """The production server; it migrates the database."""
        return serving(["app.py"], self.environment)

    def beside(self, name: str) -> "House":
        """A database of its own in the same Postgres."""
        self.sql(f'CREATE DATABASE "{name}"')
        url = self.postgres.url.replace("@/chirpy?", f"@/{name}?")
        return replace(self, environment={**self.environment, "DB_URL": url})

    def sql(self, *statements: str) -> list[tuple[Any, ...]]:
        """Run statements, each committed by itself; returns the rows of the last."""
        with closing(psycopg2.connect(self.database)) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                for statement in statements:
                    cursor.execute(statement)
                return cursor.fetchall() if cursor.description else []


@contextmanager
def house(**settings: str) -> Iterator[House]:
    """Start Postgres in a folder that is deleted afterwards. `settings` are postgresql.conf's."""
    folder = Path(tempfile.mkdtemp(prefix="chirpy-benchmarks-"))
    folder.chmod(0o711)  # run by root, Postgres drops to a user who must get in
    postgres = EmbeddedPostgres(folder / "postgres", {"max_connections": CONNECTIONS} | settings)
    try:
        postgres.ensure_running()
        home = House(postgres, environment(postgres.url))
        require_durability(home)
        yield home
    finally:
        try:
            postgres.destroy()
        finally:
            shutil.rmtree(folder)


def environment(database: str) -> dict[str, str]:
    """All settings of Chirpy, so that nothing of the user's `.env` counts."""
    return {
        "DB_URL": database,
        "PLATFORM": "dev",
        "JWT_SECRET": token_hex(32),
        "SECRET": "",
        "POLKA_KEY": token_hex(16),
        "POLKA_WEBHOOK_SECRETS": "",
        "HOST": "127.0.0.1",
        "WORKERS": str(WORKERS),
        "THREADS": str(THREADS),
    }


def require_durability(house: House) -> None:
    """Raise BenchmarkFailed if a commit could be lost: that would be fast, and no measure."""
    for name in DURABLE:
        [[value]] = house.sql(f"SHOW {name}")
        if value != "on":
            raise BenchmarkFailed(f"Postgres runs with {name} = {value}")
