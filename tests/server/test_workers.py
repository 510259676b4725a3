"""`python app.py` and its worker processes: the greeting, the stop, crashes and connections."""

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from time import sleep
from uuid import uuid4

import pytest
from sqlalchemy import URL

from chirpy.devtools.postgres import EmbeddedPostgres
from chirpy.server.port import PortUnavailable, reserve_port
from tests.support.databases import Sql, connected
from tests.support.factories import API_KEY, PASSWORD, an_email, an_event
from tests.support.server import STOP_TIMEOUT, Server, a_server, crash_postgres, wait_until

pytestmark = pytest.mark.usefixtures("emptied_database")


@contextmanager
def locked(url: URL, statement: str) -> Iterator[None]:
    """Hold the locks of `statement` in another connection."""
    with connected(url) as sql:
        sql(f"BEGIN; {statement}")
        yield


def connections(sql: Sql, condition: str = "true") -> int:
    """Return how many connections to this database servers have."""
    [[count]] = sql(
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'chirpy'"
        f" AND datname = current_database() AND {condition}"
    )
    return int(count)


def waiting(sql: Sql) -> int:
    """Return how many of these connections wait for a lock."""
    return connections(sql, "wait_event_type = 'Lock'")


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_commands_of_the_greeting_work(server: Server) -> None:
    commands = [line for line in server.log.splitlines() if line.startswith("  curl")]

    health, user, login = (
        subprocess.check_output(command, shell=True, stderr=subprocess.DEVNULL)
        for command in commands
    )

    assert health == b"OK"
    assert json.loads(user)["email"] == json.loads(login)["email"] == "walt@example.com"
    assert json.loads(login)["token"]


@pytest.mark.faults
@pytest.mark.parametrize(
    "stop",
    [
        pytest.param(lambda pid: os.kill(pid, signal.SIGTERM), id="SIGTERM"),
        pytest.param(lambda pid: os.killpg(pid, signal.SIGINT), id="Ctrl-C"),
    ],
)
def test_stop_waits_for_requests_in_progress(
    database_url: URL, sql: Sql, stop: Callable[[int], None]
) -> None:
    user = {"email": an_email(), "password": PASSWORD}
    with a_server(database_url, WORKERS="2") as server, ThreadPoolExecutor() as pool:
        with locked(database_url, "LOCK users"):
            response = pool.submit(server.request, "POST", "/api/users", user)
            wait_until(lambda: waiting(sql))
            stop(server.process.pid)
            sleep(0.5)  # seconds until the stop has begun; a request waits 2 seconds for a lock

        assert response.result().status == 201
        assert server.process.wait(STOP_TIMEOUT) == 0
        assert "Traceback" not in server.log
    assert sql("SELECT email FROM users") == [(user["email"],)]


@pytest.mark.faults
def test_workers_free_the_port_after_their_parent_was_killed(database_url: URL) -> None:
    with a_server(database_url, WORKERS="2") as server:
        server.process.kill()

        def is_free() -> bool:
            with suppress(PortUnavailable), reserve_port("127.0.0.1", server.port):
                return True
            return False

        wait_until(is_free)


def test_workers_share_visits_and_connections(database_url: URL, sql: Sql) -> None:
    [[start]] = sql("SELECT clock_timestamp()")
    new = f"backend_start > '{start}'"  # those of other tests may be about to end
    with (
        a_server(database_url, WORKERS="2", DB_CONNECTIONS="6") as server,
        ThreadPoolExecutor(8) as pool,
    ):

        def get(path: str) -> set[int]:
            return {each.status for each in pool.map(server.request, ["GET"] * 24, [path] * 24)}

        def both_serve() -> bool:
            assert get("/api/chirps") == {200}
            return connections(sql, new) > 2  # more than one worker has for single statements

        wait_until(both_serve)

        assert get("/app/") == {200}
        assert connections(sql, new) <= 6
        assert "visited 24 times" in server.request("GET", "/admin/metrics").text


def kill_workers(server: Server) -> None:
    """Kill all workers, and wait until as many others serve."""
    killed = set(server.workers)
    for worker in killed:
        os.kill(worker, signal.SIGKILL)
    wait_until(lambda: len(set(server.workers) - killed) == len(killed))
    wait_until(server.is_ready)


@pytest.mark.faults
def test_killed_workers_are_replaced_each_time(crashable_server: Server) -> None:
    for _ in range(3):
        kill_workers(crashable_server)

    assert crashable_server.request("GET", "/api/readyz").status == 200
    assert len(crashable_server.workers) == 2


@pytest.mark.faults
def test_requests_are_503_while_postgres_is_down_and_succeed_after_its_restart(
    crashable_server: Server, crashable_postgres: EmbeddedPostgres
) -> None:
    user = {"email": an_email(), "password": PASSWORD}
    crash_postgres(crashable_postgres)
    responses = [
        crashable_server.request("GET", "/api/readyz"),
        crashable_server.request("GET", "/api/chirps"),
        crashable_server.request("POST", "/api/users", user),
        crashable_server.request("POST", "/api/polka/webhooks", an_event(uuid4()), API_KEY),
    ]
    assert crashable_server.request("GET", "/api/healthz").status == 200
    crashable_postgres.ensure_running()

    for response in responses:
        assert response.status == 503
        assert response.headers["Retry-After"].isdecimal()
        assert response.json["error"]
    assert crashable_server.request("GET", "/api/readyz").status == 200
    assert crashable_server.request("POST", "/api/users", user).status == 201


@pytest.mark.faults
def test_restart_of_postgres_between_requests_causes_no_error(
    crashable_server: Server, crashable_postgres: EmbeddedPostgres
) -> None:
    def status(_: int) -> int:
        return crashable_server.request("GET", "/api/chirps").status

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(status, range(32))) == {200}
        crash_postgres(crashable_postgres)
        crashable_postgres.ensure_running()
        assert set(pool.map(status, range(32))) == {200}
