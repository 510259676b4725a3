"""Lost, closed and exhausted connections: at most one 503, and the next delivery succeeds."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from psycopg2 import extensions
from sqlalchemy import Text, literal_column, select
from sqlalchemy.exc import DBAPIError
from werkzeug.test import TestResponse

from chirpy.database import engine, thread_connections
from chirpy.database.autocommit import run_autocommit
from chirpy.database.engine import db
from tests.support.databases import Sql, an_app, use_cursor_class
from tests.support.failures import OTHERS, Breakable, assert_unavailable, deliver, outcome
from tests.support.server import wait_until

# No database


def test_delivery_succeeds_once_the_database_is_back(breakable: Breakable, sql: Sql) -> None:
    upgrade = breakable.upgrade()
    breakable.deliver(upgrade)
    allow = f'ALTER DATABASE "{breakable.url.database}" ALLOW_CONNECTIONS'
    sql(f"{allow} false")
    try:
        breakable.close_connections()
        assert_unavailable(breakable.deliver(upgrade))
    finally:
        sql(f"{allow} true")

    assert outcome(breakable.deliver(upgrade)) == "duplicate"
    breakable.assert_applied(upgrade, deliveries=2)


def test_db_url_takes_precedence_over_connect_arguments(breakable: Breakable) -> None:
    def unused() -> dict[str, str]:
        raise AssertionError

    with an_app(breakable.url, unused) as app:
        assert outcome(deliver(app, breakable.upgrade())) == "applied"


def test_delivery_to_a_read_only_database_is_503(breakable: Breakable) -> None:
    upgrade = breakable.upgrade()
    with (
        breakable.altered("default_transaction_read_only", "on"),
        an_app(breakable.url) as app,
        breakable.unchanged(),
    ):
        assert_unavailable(deliver(app, upgrade))

    assert outcome(breakable.deliver(upgrade)) == "applied"


def test_delivery_beyond_the_connection_limit_is_503(breakable: Breakable) -> None:
    upgrade = breakable.upgrade()
    role = f"limited_{breakable.url.database}"
    breakable.sql(f"CREATE ROLE {role} LOGIN CONNECTION LIMIT 0")
    try:
        breakable.sql(f"GRANT pg_read_all_data, pg_write_all_data TO {role}")
        with an_app(breakable.url.set(username=role)) as app:
            with breakable.unchanged():
                assert_unavailable(deliver(app, upgrade))
            breakable.sql(f"ALTER ROLE {role} CONNECTION LIMIT 1")
            assert outcome(deliver(app, upgrade)) == "applied"
    finally:
        breakable.sql(f"DROP ROLE {role}")


# Connections that Postgres closes


def test_connection_lost_during_a_statement_fails_one_thread_only(
    breakable: Breakable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(thread_connections, "is_closed", lambda _: False)  # closed after the check
    upgrade = breakable.upgrade()
    threads = [ThreadPoolExecutor(1) for _ in range(4)]

    def deliver_in_each_thread() -> list[TestResponse]:
        return [thread.submit(breakable.deliver, upgrade).result() for thread in threads]

    try:
        before = deliver_in_each_thread()
        breakable.close_connections()
        first, *others = deliver_in_each_thread()
    finally:
        for thread in threads:
            thread.shutdown()

    assert [outcome(response) for response in before] == ["applied"] + ["duplicate"] * 3
    assert_unavailable(first)
    assert [outcome(response) for response in others] == ["duplicate"] * 3


def test_connection_made_after_a_loss_is_kept(breakable: Breakable) -> None:
    def query(expression: str) -> Any:
        with breakable.app.app_context():
            [row] = run_autocommit(select(literal_column(expression, Text())), {})
            return row[0]

    asleep = f"SELECT pid {OTHERS} AND pid = %s AND query LIKE '%%sleep%%'"
    with ThreadPoolExecutor(1) as one, ThreadPoolExecutor(1) as other:
        old, lost = (thread.submit(query, "pg_backend_pid()").result() for thread in (one, other))
        sleeping = other.submit(query, "1 FROM pg_sleep(60)")
        wait_until(lambda: breakable.sql(asleep, lost))
        with breakable.app.app_context():
            db.engine.dispose()  # as after the loss of a connection
        new = one.submit(query, "pg_backend_pid()").result()
        breakable.sql("SELECT pg_terminate_backend(%s, 10000)", lost)

        assert isinstance(sleeping.exception(), DBAPIError)
        assert one.submit(query, "pg_backend_pid()").result() == new != old


def test_connection_of_a_thread_closes_when_the_thread_ends(breakable: Breakable) -> None:
    def others() -> list[tuple[str]]:
        return breakable.sql(f"SELECT application_name {OTHERS}")

    breakable.sql(f"SELECT pg_terminate_backend(pid, 10000) {OTHERS}")  # those of other tests
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(breakable.deliver, {"event": "x"}).result().status_code == 204
        assert others() == [("chirpy",)]

    wait_until(lambda: others() == [])


@pytest.mark.parametrize("failing", [False, True])
def test_session_never_gets_an_autocommit_connection(breakable: Breakable, failing: bool) -> None:
    if failing:
        breakable.fail_writes("RAISE disk_full", table="webhook_events")

    assert breakable.deliver(breakable.upgrade()).status_code == (503 if failing else 204)
    with breakable.app.app_context():
        used: Any = db.session.connection().connection.dbapi_connection
        assert used.autocommit is False


# Too few connections


def test_exhausted_pool_is_503(breakable: Breakable, monkeypatch: pytest.MonkeyPatch) -> None:
    upgrade = breakable.upgrade()
    monkeypatch.setattr(engine, "POOL_TIMEOUT", 0.1)

    with an_app(breakable.url, threads=1) as app:
        with app.app_context():
            pool = db.engine
        with pool.connect(), breakable.unchanged():
            assert_unavailable(deliver(app, upgrade))
        assert outcome(deliver(app, upgrade)) == "applied"


# COMMIT with an unknown result


def test_commit_that_failed_with_its_connection_is_applied_by_the_retry(
    breakable: Breakable,
) -> None:
    upgrade = breakable.upgrade()
    breakable.fail_writes("PERFORM pg_terminate_backend(pg_backend_pid())", 1, at_commit=True)

    with breakable.unchanged():
        assert_unavailable(breakable.deliver(upgrade))
    assert outcome(breakable.deliver(upgrade)) == "applied"
    breakable.assert_applied(upgrade)


def test_commit_whose_response_was_lost_is_a_duplicate_for_the_retry(breakable: Breakable) -> None:
    upgrade = breakable.upgrade()
    losses: list[str] = []

    class LosesResponseOnce(extensions.cursor):
        def execute(self, query: Any, vars: Any = None) -> None:  # noqa: A002 - psycopg2's name
            super().execute(query, vars)
            if "receive_event" in query and not losses:
                losses.append(query)
                breakable.close_connections()
                super().execute("SELECT")

    with an_app(breakable.url) as app:
        use_cursor_class(app, LosesResponseOnce)
        assert_unavailable(deliver(app, upgrade))
        breakable.assert_applied(upgrade)
        assert outcome(deliver(app, upgrade)) == "duplicate"
    breakable.assert_applied(upgrade, deliveries=2)
