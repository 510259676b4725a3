"""What `python app.py` promises: whole requests, waits that end, and a stop that loses nothing."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from http.client import HTTPConnection
from time import sleep

import psycopg2
import pytest
from sqlalchemy import URL

from chirpy.devtools.postgres import PrivatePostgres
from chirpy.server.port import PortUnavailable, reserve_port
from tests.support.databases import POLKA_KEY, Sql, url_text
from tests.support.factories import API_KEY, PASSWORD, a_user, an_email, an_event
from tests.support.server import (
    NO_SETTINGS,
    PROJECT,
    SECRETS,
    STOP_TIMEOUT,
    TIMEOUT,
    Server,
    a_server,
    crash_postgres,
    read_all,
    run_python,
    wait_until,
)

NOBODY = "00000000-0000-4000-8000-000000000000"
LIMIT = 64 * 1024  # bytes that a body may have
WEBHOOK = (
    b"POST /api/polka/webhooks HTTP/1.1\r\nHost: chirpy\r\nConnection: close\r\n"
    b"Authorization: ApiKey " + POLKA_KEY.encode() + b"\r\n"
)
CHUNKED = WEBHOOK + b"Transfer-Encoding: chunked\r\n\r\n"
HEALTH = b"GET /api/healthz HTTP/1.1\r\nHost: chirpy\r\n"
needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")

pytestmark = pytest.mark.usefixtures("app")  # which empties the database afterwards


@pytest.fixture(scope="module")
def one_thread(database_url: URL) -> Iterator[Server]:
    """A server with one thread: what it answers, it answers after all that was asked before."""
    with a_server(database_url, THREADS="1") as server:
        yield server


@contextmanager
def held(url: URL, statement: str) -> Iterator[None]:
    """Hold the locks that `statement` takes, so that whoever else wants them waits."""
    with closing(psycopg2.connect(url_text(url))) as connection, connection.cursor() as cursor:
        cursor.execute(statement)
        yield


def connections(sql: Sql, condition: str = "true") -> int:
    """How many connections servers have to this database."""
    [[count]] = sql(
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'chirpy'"
        f" AND datname = current_database() AND {condition}"
    )
    return int(count)


def waiting(sql: Sql) -> int:
    """How many of them wait for a lock."""
    return connections(sql, "wait_event_type = 'Lock'")


def chunks(body: bytes, size: int) -> bytes:
    """`body` in chunks of `size` bytes, as they go over the wire, and the end of them."""
    pieces = (body[start : start + size] for start in range(0, len(body), size))
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


def status_of(answer: bytes) -> int:
    """The status of a raw answer, 0 of none."""
    return int(answer.split()[1]) if answer else 0


def test_it_says_where_it_serves_and_what_to_try(server: Server) -> None:
    assert f"Chirpy serves on {server.url} " in server.log
    assert server.log.count(f"\n  curl {server.url}/api/") == 3


@needs_curl
def test_the_commands_it_prints_work_as_they_are(server: Server) -> None:
    commands = [line for line in server.log.splitlines() if line.startswith("  curl")]

    health, account, login = (
        subprocess.check_output(command, shell=True, stderr=subprocess.DEVNULL)
        for command in commands
    )

    assert health == b"OK"
    assert json.loads(account)["email"] == json.loads(login)["email"] == "walt@example.com"
    assert json.loads(login)["token"]


@pytest.mark.parametrize(
    "stop",
    [
        pytest.param(lambda pid: os.kill(pid, signal.SIGTERM), id="SIGTERM"),
        pytest.param(lambda pid: os.killpg(pid, signal.SIGINT), id="Ctrl-C"),
    ],
)
def test_a_stop_lets_the_request_under_way_finish(
    database_url: URL, sql: Sql, stop: Callable[[int], None]
) -> None:
    account = {"email": an_email(), "password": PASSWORD}
    with a_server(database_url, WORKERS="2") as server, ThreadPoolExecutor() as pool:
        with held(database_url, "LOCK users"):
            answer = pool.submit(server.request, "POST", "/api/users", account)
            wait_until(lambda: waiting(sql))
            stop(server.process.pid)
            sleep(0.5)  # seconds for the stop to arrive; the request itself may wait for 2

        assert answer.result().status == 201
        assert server.process.wait(STOP_TIMEOUT) == 0
        assert "Traceback" not in server.log
    assert sql("SELECT email FROM users") == [(account["email"],)]


def test_ctrl_c_which_every_process_hears_ends_an_idle_server_at_once(database_url: URL) -> None:
    with a_server(database_url, WORKERS="3") as server:
        os.killpg(server.process.pid, signal.SIGINT)

        assert server.process.wait(STOP_TIMEOUT) == 0


def test_workers_whose_parent_was_killed_end_and_free_the_port(database_url: URL) -> None:
    with a_server(database_url, WORKERS="2") as server:
        server.kill()

        def is_free() -> bool:
            with (
                suppress(PortUnavailable),
                reserve_port("127.0.0.1", server.port),
            ):  # as a successor does
                return True
            return False

        wait_until(is_free)


def test_a_port_that_is_taken_is_named_with_a_way_out(database_url: URL) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        given = NO_SETTINGS | SECRETS | {"DB_URL": url_text(database_url), "PORT": str(port)}
        ended = run_python(PROJECT, "app.py", **given)

    assert ended.returncode == 1
    assert f"127.0.0.1 port {port}: Address already in use" in ended.stdout
    assert f"PORT={port + 1} make run" in ended.stdout
    assert len(ended.stdout.splitlines()) == 2


def test_two_processes_count_as_one_and_share_what_connections_they_may_have(
    database_url: URL, sql: Sql
) -> None:
    before = connections(sql)
    with (
        a_server(database_url, WORKERS="2", THREADS="2") as server,
        ThreadPoolExecutor(24) as pool,
    ):

        def both_serve() -> bool:
            list(pool.map(server.request, ["GET"] * 8, ["/api/readyz"] * 8))
            return connections(sql) - before > 2

        wait_until(both_serve)
        with held(database_url, "ALTER SEQUENCE visits OWNED BY NONE"):
            visits = pool.map(server.request, ["GET"] * 24, ["/app/"] * 24)
            wait_until(lambda: waiting(sql) >= 4)
            most = max(connections(sql) for _ in range(200))  # long enough for a fifth to show

        assert {visit.status for visit in visits} == {200}
        assert most - before == 4
        assert "visited 24 times" in server.request("GET", "/admin/metrics").text


def test_an_event_cut_off_anywhere_on_its_way_leaves_nothing(one_thread: Server, sql: Sql) -> None:
    event = json.dumps(an_event(a_user(sql))).encode()
    in_chunks = chunks(event, 30)
    before_its_last_brace = range(in_chunks.rindex(b"}"))
    at_length = WEBHOOK + b"Content-Length: %d\r\n\r\n"
    cut_off = [
        *(CHUNKED + in_chunks[:end] for end in before_its_last_brace),
        *(at_length % len(event) + event[:end] for end in range(len(event))),
        at_length % (len(event) + 1) + event,
    ]

    for request in cut_off:
        assert status_of(one_thread.send(request, close_after=True)) in {0, 400}
    assert one_thread.request("GET", "/api/readyz").status == 200
    assert sql("SELECT * FROM webhook_events") == sql("SELECT * FROM memberships") == []

    assert status_of(one_thread.send(CHUNKED + in_chunks)) == 204
    assert sql("SELECT outcome FROM webhook_events") == [("applied",)]


@pytest.mark.parametrize("size", [1, 17, 1000])
def test_a_body_in_chunks_of_any_size_is_read_whole(server: Server, sql: Sql, size: int) -> None:
    event = json.dumps(an_event(a_user(sql))).encode()

    assert status_of(server.send(CHUNKED + chunks(event, size))) == 204
    assert sql("SELECT body FROM webhook_events") == [(event.decode(),)]


@pytest.mark.parametrize(("excess", "status"), [(0, 204), (1, 413)])
def test_the_limit_of_a_body_is_the_same_in_chunks(
    server: Server, sql: Sql, excess: int, status: int
) -> None:
    event = json.dumps(an_event(a_user(sql))).encode().ljust(LIMIT + excess)

    assert status_of(server.send(CHUNKED + chunks(event, 8000))) == status
    assert (
        status_of(server.send(WEBHOOK + b"Content-Length: %d\r\n\r\n" % len(event) + event))
        == status
    )


@pytest.mark.parametrize(
    "head", [CHUNKED, WEBHOOK + b"Content-Length: 10000000\r\n\r\n"], ids=["chunked", "length"]
)
def test_ten_megabytes_are_refused_with_an_answer(server: Server, head: bytes) -> None:
    body = b" " * 10_000_000
    answer = server.send(head + (chunks(body, 100_000) if head is CHUNKED else body))

    assert status_of(answer) == 413
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["error"]


@needs_curl
@pytest.mark.parametrize("headers", [[], ["-H", "Transfer-Encoding: chunked"]])
def test_curl_shows_the_answer_to_a_body_that_is_too_large(
    server: Server, headers: list[str]
) -> None:
    command = ["curl", "-s", "-w", "%{http_code}", f"{server.url}/api/users", "--data-binary", "@-"]
    sent = subprocess.run(
        [*command, *headers], input=b" " * 10_000_000, capture_output=True, check=False
    )

    assert sent.stdout.endswith(b"413")


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (HEALTH + b"X-Long: " + b"a" * 20_000 + b"\r\n\r\n", 431),
        (HEALTH + b"X-Long: " + b"a" * 1_000_000 + b"\r\n\r\n", 431),
        (HEALTH + b"".join(b"X-%d: a\r\n" % n for n in range(1000)) + b"\r\n", 431),
        (b"GET /api/chirps?" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: chirpy\r\n\r\n", 431),
        (WEBHOOK + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}}", 400),
        (WEBHOOK + b"Content-Length: -1\r\n\r\n{}", 400),
        (WEBHOOK + b"Authorization: ApiKey other\r\nContent-Length: 2\r\n\r\n{}", 401),
        (b"hello\r\n\r\n", 400),
    ],
    ids=[
        "a long header",
        "a huge header",
        "many headers",
        "a long path",
        "two lengths",
        "a negative length",
        "two keys",
        "no HTTP",
    ],
)
def test_what_no_honest_client_sends_is_the_clients_fault(
    server: Server, request_: bytes, status: int
) -> None:
    assert status_of(server.send(request_)) == status


def test_two_authorization_headers_are_as_good_as_none(server: Server) -> None:
    account = {"email": an_email(), "password": PASSWORD}
    server.request("POST", "/api/users", account)
    token = server.request("POST", "/api/login", account).json["token"]
    header = f"Authorization: Bearer {token}\r\n".encode()
    head = b"POST /api/chirps HTTP/1.1\r\nHost: chirpy\r\nConnection: close\r\n"
    chirp = b'Content-Length: 15\r\n\r\n{"body":"Once"}'

    assert status_of(server.send(head + header + header + chirp)) == 401
    assert status_of(server.send(head + header + chirp)) == 201


def test_a_connection_serves_one_request_after_the_other(server: Server) -> None:
    account = json.dumps({"email": an_email(), "password": PASSWORD})
    with closing(HTTPConnection("127.0.0.1", server.port, timeout=TIMEOUT)) as connection:
        connection.connect()
        opened = connection.sock
        statuses = []
        for method, path, body in [
            ("POST", "/api/users", account),
            ("PUT", "/api/users", account),  # refused before its body is read
            ("POST", "/api/nowhere", account),
            ("HEAD", "/api/healthz", None),
            ("POST", "/api/login", account),
        ]:
            connection.request(method, path, body)
            with connection.getresponse() as response:
                response.read()
                statuses.append(response.status)
        assert connection.sock is opened

    assert statuses == [201, 401, 404, 200, 200]


@pytest.mark.parametrize("framing", ["Content-Length: 20", "Transfer-Encoding: chunked"])
@pytest.mark.parametrize("line", ["PUT /api/users", "POST /api/nowhere", "POST /api/healthz"])
def test_a_body_that_nobody_wants_may_come_late(server: Server, line: str, framing: str) -> None:
    body = b"x" * 20 if "Length" in framing else b"14\r\n" + b"x" * 20 + b"\r\n0\r\n\r\n"
    with server.connect() as connection:
        connection.sendall(f"{line} HTTP/1.1\r\nHost: chirpy\r\n{framing}\r\n\r\n".encode())
        sleep(0.05)  # long enough to refuse it unseen
        connection.sendall(body + HEALTH + b"Connection: close\r\n\r\n")
        answers = read_all(connection)

    assert re.findall(rb"HTTP/1\.1 (\d+)", answers)[1:] == [b"200"]


def test_while_such_a_body_is_awaited_nothing_is_held_in_the_database(
    server: Server, sql: Sql
) -> None:
    head = b"POST /api/refresh HTTP/1.1\r\nHost: chirpy\r\nContent-Length: 1\r\n"
    with server.connect() as stalled:
        stalled.sendall(head + b"Authorization: Bearer " + b"a" * 64 + b"\r\n\r\n")
        sleep(0.2)  # until it has been looked up

        assert (
            sql(
                """SELECT query FROM pg_stat_activity
            WHERE datname = current_database() AND state = 'idle in transaction'"""
            )
            == []
        )
        stalled.sendall(b"x")
        assert stalled.recv(65536).startswith(b"HTTP/1.1 401 ")


def test_who_asks_before_sending_a_body_that_nobody_wants_is_told_not_to(server: Server) -> None:
    asked = b"PUT /api/users HTTP/1.1\r\nHost: chirpy\r\nContent-Length: 20\r\n"
    with server.connect() as connection:
        connection.sendall(asked + b"Expect: 100-continue\r\n\r\n")

        assert connection.recv(65536).startswith(b"HTTP/1.1 401 ")


def test_requests_sent_ahead_are_answered_in_their_order(server: Server) -> None:
    ahead = b"".join(
        b"GET %s HTTP/1.1\r\nHost: chirpy\r\n\r\n" % path
        for path in [b"/api/healthz", b"/api/nowhere", b"/api/chirps"]
    )
    answers = server.send(ahead + HEALTH + b"Connection: close\r\n\r\n")

    assert re.findall(rb"HTTP/1\.1 (\d+)", answers) == [b"200", b"404", b"200", b"200"]


def test_a_worker_that_was_killed_is_replaced(crashable_server: Server) -> None:
    killed, other = crashable_server.workers
    os.kill(killed, signal.SIGKILL)

    wait_until(
        lambda: len(crashable_server.workers) == 2 and killed not in crashable_server.workers
    )
    os.kill(other, signal.SIGKILL)  # so that only successors are left to answer
    wait_until(lambda: other not in crashable_server.workers and crashable_server.is_ready())
    assert crashable_server.request("GET", "/api/readyz").status == 200


def test_so_is_its_successor_at_once(database_url: URL) -> None:
    with a_server(database_url) as server:
        for _ in range(3):
            [killed] = server.workers
            os.kill(killed, signal.SIGKILL)
            wait_until(lambda: killed not in server.workers and server.is_ready())  # noqa: B023 - done before the next


def test_requests_while_the_database_is_away_are_told_to_come_again_and_later_served(
    crashable_server: Server, crashable_postgres: PrivatePostgres
) -> None:
    account = {"email": an_email(), "password": PASSWORD}
    crash_postgres(crashable_postgres)
    refused = [
        crashable_server.request("GET", "/api/readyz"),
        crashable_server.request("GET", "/api/chirps"),
        crashable_server.request("POST", "/api/users", account),
        crashable_server.request("POST", "/api/polka/webhooks", an_event(NOBODY), API_KEY),
    ]
    assert crashable_server.request("GET", "/api/healthz").status == 200
    crashable_postgres.ensure_running()

    for answer in refused:
        assert answer.status == 503
        assert answer.headers["Retry-After"].isdecimal()
        assert answer.json["error"]
    assert crashable_server.request("GET", "/api/readyz").status == 200
    assert crashable_server.request("POST", "/api/users", account).status == 201


def test_a_restart_of_the_database_while_nobody_asks_is_noticed_by_nobody(
    crashable_server: Server, crashable_postgres: PrivatePostgres
) -> None:
    def ask_at_once(_: int) -> int:
        return crashable_server.request("GET", "/api/chirps").status

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(ask_at_once, range(32))) == {200}
        crash_postgres(crashable_postgres)
        crashable_postgres.ensure_running()
        assert set(pool.map(ask_at_once, range(32))) == {200}
