"""A repeated request waits for the standby, also if COMMIT of the first one did not."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask.testing import FlaskClient
from sqlalchemy import make_url
from werkzeug.test import TestResponse

from chirpy.devtools.postgres import EmbeddedPostgres
from chirpy.settings.database_url import DRIVER
from tests.support.chirps import post_chirp
from tests.support.databases import Sql, an_app, connected
from tests.support.factories import API_KEY, Person, a_person, an_event, an_id
from tests.support.server import wait_until

KEY = an_id()
CANCEL_WAIT = "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"


def deliver(client: FlaskClient, person: Person) -> TestResponse:
    event = an_event(person.id, id=KEY)
    return client.post("/api/polka/webhooks", json=event, headers=API_KEY)


def post(client: FlaskClient, person: Person) -> TestResponse:
    return post_chirp(client, person, key=KEY)


def require_standby(sql: Sql, name: str) -> None:
    """Let COMMIT wait for the standby of this name, or for none."""
    sql("ALTER SYSTEM SET synchronous_standby_names = %s", name)
    sql("SELECT pg_reload_conf()")


@pytest.mark.faults
@pytest.mark.parametrize("send", [deliver, post])
def test_repeated_request_waits_for_the_standby_that_the_first_one_missed(
    crashable_postgres: EmbeddedPostgres, send: Callable[[FlaskClient, Person], TestResponse]
) -> None:
    url = make_url(crashable_postgres.url).set(drivername=DRIVER)
    with an_app(url) as app, connected(url) as sql, ThreadPoolExecutor(1) as pool:
        person = a_person(app.test_client())

        def waits() -> bool:
            """Send the request. Return whether it waits, and cancel its wait."""
            request = pool.submit(send, app.test_client(), person)
            while not request.done():
                if sql(CANCEL_WAIT):
                    return bool(request.result())
            return False

        require_standby(sql, "missing")
        try:
            wait_until(waits)  # Postgres reads its settings again, each process by itself
            assert waits()
        finally:
            require_standby(sql, "")
