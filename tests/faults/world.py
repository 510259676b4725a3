"""A real server, a proxy and a Postgres, and ways to break them and to repair all of it."""

import shutil
import signal
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from time import sleep
from typing import Any

import psutil
import psycopg2
from sqlalchemy import URL, make_url

from chirpy.database.connections import JUST_NOW
from chirpy.devtools.postgres import EmbeddedPostgres
from chirpy.settings.database_url import DRIVER
from tests.conftest import a_folder, postgres_folder
from tests.support.databases import connected, migrate, url_text
from tests.support.pgbouncer import pgbouncer
from tests.support.proxy import Proxy
from tests.support.server import Server, a_server, wait_until

ROLE = "app"  # the user of the server: no superuser, so that rights and limits hold for it
GATE = 7  # the advisory lock at which transactions wait
OURS = "FROM pg_stat_activity WHERE usename = 'app'"
WAITING = f"SELECT pid {OURS} AND wait_event IN ('advisory', 'relation', 'SyncRep')"
FAULT = """
    CREATE SEQUENCE attempts_webhook_events; CREATE SEQUENCE attempts_memberships;
    CREATE SEQUENCE attempts_chirps; GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO app;
    CREATE FUNCTION fault() RETURNS trigger LANGUAGE plpgsql {options} AS $$ BEGIN
        IF nextval('attempts_' || TG_TABLE_NAME) <= {times} THEN {act}; END IF;
        RETURN NULL;
    END $$
"""
FAULT_AT = """
    CREATE CONSTRAINT TRIGGER fault AFTER INSERT ON {table} {deferred}
    FOR EACH ROW EXECUTE FUNCTION fault()
"""
# What a test does to the role and the database does not change what the tests themselves do.
SETTINGS_OF_TESTS = """
    ALTER ROLE chirpy SET synchronous_commit = local; ALTER ROLE chirpy SET search_path = public;
    ALTER ROLE chirpy SET default_transaction_read_only = off
"""
NO_FAULT = """
    DROP FUNCTION IF EXISTS fault CASCADE; DROP SEQUENCE IF EXISTS attempts_webhook_events,
    attempts_memberships, attempts_chirps
"""


@dataclass
class World:
    """What one process of the tests shares. Each test breaks it, and `repair` undoes all."""

    postgres: EmbeddedPostgres
    proxy: Proxy
    server: Server
    pgbouncer: bool = False  # whether one is between server and proxy
    undo: ExitStack = field(default_factory=ExitStack)  # what `repair` does first
    end: ExitStack = field(default_factory=ExitStack)  # what is done after the test
    clients: list[HTTPConnection] = field(default_factory=list)  # of all requests
    standby: str = ""  # the path of its socket

    @property
    def url(self) -> URL:
        """The database for the tests, past the proxy."""
        socket = {"host": str(Path(self.proxy.target).parent)}
        return make_url(self.postgres.url).set(drivername=DRIVER).update_query_dict(socket)

    def sql(self, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """Run a statement on a connection of its own."""
        with connected(self.url) as sql:
            return sql(statement, *parameters)

    def fail_in(
        self, tables: list[str], act: str, times: int, *, deferred: bool, options: str = ""
    ) -> None:
        """Run a PL/pgSQL statement after the first inserts into each table, or at their COMMIT."""
        self.sql(FAULT.format(act=act, times=times, options=options))
        when = "DEFERRABLE INITIALLY DEFERRED" if deferred else ""
        for table in tables:
            self.sql(FAULT_AT.format(table=table, deferred=when))

    def close_gate(self, statement: str = f"SELECT pg_advisory_lock({GATE})") -> Any:
        """Hold locks for which transactions wait, until `undo` is closed. Return the connection."""
        other = self.undo.enter_context(closing(psycopg2.connect(url_text(self.url))))
        other.cursor().execute(statement)
        return other

    def disconnect(self) -> None:
        """Close the connections of the server, and let it notice with the next request."""
        self.sql(f"SELECT pg_terminate_backend(pid, 10000) {OURS}")
        sleep(JUST_NOW)

    def postgres_processes(self) -> list[psutil.Process]:
        """Return the processes of Postgres, the first one first."""
        pid = int((self.postgres.data / "postmaster.pid").read_text().split()[0])
        main = psutil.Process(pid)
        return [main, *main.children(recursive=True)]

    def send_postgres(self, number: signal.Signals) -> None:
        """Send a signal to all processes of Postgres."""
        for process in self.postgres_processes():
            with suppress(psutil.NoSuchProcess):
                process.send_signal(number)

    def repair(self) -> None:
        """Undo what a test has done, and wait until Postgres and the server answer."""
        with suppress(FileNotFoundError, psutil.NoSuchProcess):
            self.send_postgres(signal.SIGCONT)
        with suppress(psycopg2.Error):
            self.undo.close()
        self.clients.clear()
        self.proxy.pass_all()
        wait_until(self.is_running)
        self.sql("ALTER SYSTEM RESET ALL")
        self.sql("SELECT pg_reload_conf()")
        self.sql(f"ALTER DATABASE chirpy RESET ALL; ALTER ROLE {ROLE} RESET ALL")
        self.sql(NO_FAULT)
        wait_until(self.is_idle)
        if self.server.process.poll() is not None:
            self.server.__exit__()
            self.server.__enter__()
        wait_until(self.server.is_ready)
        if self.pgbouncer:  # it connects to Postgres again after `server_login_retry`
            wait_until(lambda: self.server.request("GET", "/api/readyz").status == 200)

    def is_running(self) -> bool:
        """Return whether Postgres answers. Start it if it does not run."""
        with suppress(psycopg2.OperationalError):
            self.postgres.ensure_running()
            return bool(self.sql("SELECT 1"))
        return False

    def is_idle(self) -> bool:
        """Return whether no statement of the server runs."""
        return not self.sql(f"SELECT pid {OURS} AND state <> 'idle'")


@contextmanager
def a_world() -> Iterator[World]:
    """Make a Postgres, a proxy before it, and a server that connects to the proxy."""
    postgres = EmbeddedPostgres(postgres_folder(folder := a_folder()), {"fsync": "off"})
    postgres.ensure_running()
    url = make_url(postgres.url).set(drivername=DRIVER)
    with connected(url) as sql:
        sql(SETTINGS_OF_TESTS)
        sql(f"CREATE ROLE {ROLE} LOGIN; ALTER DATABASE chirpy OWNER TO {ROLE}")
    migrate(url.set(username=ROLE))
    with a_proxy(postgres) as proxy, a_server(url_of(proxy), THREADS="8") as server:
        yield World(postgres, proxy, server)
    postgres.destroy()
    shutil.rmtree(folder)


@contextmanager
def with_pgbouncer(world: World) -> Iterator[World]:
    """Add a server that connects to a PgBouncer in transaction mode, which connects to a proxy."""
    folder = a_folder()
    with (
        a_proxy(world.postgres) as proxy,
        pgbouncer(url_of(proxy), folder, "transaction", server_login_retry="1") as url,
        a_server(url, THREADS="8") as server,
    ):
        yield World(world.postgres, proxy, server, pgbouncer=True)
    shutil.rmtree(folder)


def a_proxy(postgres: EmbeddedPostgres) -> Proxy:
    """Return a proxy before this Postgres."""
    return Proxy("{host}/.s.PGSQL.{port}".format_map(postgres.connection))


def url_of(proxy: Proxy) -> URL:
    """Return the URL of the server's database."""
    address = {"host": "127.0.0.1", "port": str(proxy.port)}
    return URL.create(DRIVER, ROLE, database="chirpy", query=address)
