"""Some requests are slow, and many: the others are answered in time."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from threading import Event
from time import monotonic, sleep

import pytest
from sqlalchemy import URL

from chirpy.server.threads import AT_ONCE
from tests.support.databases import Sql, connected
from tests.support.factories import API_KEY, PASSWORD, a_user, an_email, an_event
from tests.support.server import Response, Server, a_server

WEBHOOKS = "/api/polka/webhooks"

pytestmark = [pytest.mark.faults, pytest.mark.usefixtures("emptied_database")]


@pytest.fixture(scope="module")
def default_server(database_url: URL) -> Iterator[Server]:
    """One worker process with the default number of threads."""
    with a_server(database_url, THREADS="", DB_CONNECTIONS="24") as server:
        yield server


def deliver(server: Server, user_id: object) -> Response:
    return server.request("POST", WEBHOOKS, an_event(user_id), API_KEY)


def assert_others_are_served(server: Server, sql: Sql) -> None:
    """Assert that `healthz` and a delivery for another user succeed in time."""
    for _ in range(5):
        begin = monotonic()
        assert server.request("GET", "/api/healthz").status == 200
        assert monotonic() - begin < 0.5
        begin = monotonic()
        assert deliver(server, a_user(sql)).status == 204
        assert monotonic() - begin < 1


@contextmanager
def repeated(call: Callable[[], Response], threads: int, pause: float) -> Iterator[list[Response]]:
    """Call it again and again in many threads. Yield the list of the responses, at the end all."""
    stop, responses = Event(), list[Response]()

    def run() -> None:
        while not stop.is_set():
            responses.append(call())
            sleep(pause)

    with ThreadPoolExecutor(threads) as pool:
        running = [pool.submit(run) for _ in range(threads)]
        try:
            yield responses
        finally:
            stop.set()
    for each in running:
        each.result()


def assert_refused(responses: list[Response], *served: int) -> None:
    """Assert that each response is one of these statuses, or a 503 with `Retry-After`."""
    refused = [response for response in responses if response.status not in served]
    assert {response.status for response in refused} <= {503}
    assert all(response.headers["Retry-After"] == "1" for response in refused)
    assert all(response.json["hint"] for response in refused)


def test_deliveries_to_a_locked_user_delay_no_other_user(
    default_server: Server, database_url: URL, sql: Sql
) -> None:
    user_id = a_user(sql)
    deliver(default_server, user_id)
    with connected(database_url) as other:
        other(f"BEGIN; SELECT FROM memberships WHERE user_id = '{user_id}' FOR UPDATE")
        with repeated(lambda: deliver(default_server, user_id), 48, 0.05) as responses:
            sleep(0.3)
            assert_others_are_served(default_server, sql)

    assert_refused(responses, 204)


def test_deliveries_to_many_locked_users_delay_no_other_user(
    default_server: Server, database_url: URL, sql: Sql
) -> None:
    """Each waits in Postgres, three times as many as otherwise work at the same time."""
    locked = [a_user(sql) for _ in range(3 * AT_ONCE)]
    for user_id in locked:
        deliver(default_server, user_id)
    with connected(database_url) as other:
        other("BEGIN; SELECT FROM memberships FOR UPDATE")
        send = partial(deliver, default_server)
        with ThreadPoolExecutor(len(locked)) as pool:
            responses = [pool.submit(send, user_id) for user_id in locked]
            sleep(0.3)
            assert_others_are_served(default_server, sql)

    assert_refused([response.result() for response in responses])


def test_sign_ups_and_logins_of_a_classroom_succeed_together(default_server: Server) -> None:
    """Half of 60, as one of two processes gets them."""
    people = [{"email": an_email(), "password": PASSWORD} for _ in range(30)]
    with ThreadPoolExecutor(len(people)) as pool:
        for path, status in (("/api/users", 201), ("/api/login", 200)):
            send = partial(default_server.request, "POST", path)
            assert {response.status for response in pool.map(send, people)} == {status}


def test_logins_of_strangers_delay_no_delivery(default_server: Server, sql: Sql) -> None:
    def log_in() -> Response:
        stranger = {"email": an_email(), "password": PASSWORD}
        return default_server.request("POST", "/api/login", stranger)

    with repeated(log_in, 50, 0.9) as responses:
        sleep(0.3)
        assert_others_are_served(default_server, sql)

    assert_refused(responses, 401, 429)
