"""Lost, closed and exhausted connections: at most one 503, and the next delivery succeeds."""

from concurrent.futures import ThreadPoolExecutor
from time import monotonic
from typing import Any

import pytest
from psycopg2 import extensions
from sqlalchemy import Text, literal_column, select
from sqlalchemy.exc import DBAPIError

from chirpy.database import connections
from chirpy.database.autocommit import run_autocommit
from chirpy.database.engine import db
from tests.support.databases import Sql, an_app, connected, use_cursor_class
from tests.support.factories import an_id
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


def test_options_of_db_url_take_precedence_over_those_of_chirpy(breakable: Breakable) -> None:
    options = {"connect_timeout": "7", "keepalives_idle": "8", "tcp_user_timeout": "9"}

    with an_app(breakable.url.update_query_dict(options)) as app, app.app_context():
        for engine in db.engines.values():
            with engine.connect() as connection:
                raw: Any = connection.connection.dbapi_connection
                used = raw.info.dsn_parameters
                assert {name: used[name] for name in options} == options
                assert used["keepalives_count"] == "3"


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


def test_loss_of_a_connection_fails_one_delivery_only(
    breakable: Breakable, monkeypatch: pytest.MonkeyPatch
) -> None:
    upgrade = breakable.upgrade()
    with ThreadPoolExecutor(4) as pool:  # so that four connections are open
        list(pool.map(breakable.deliver, [{"event": "x"}] * 40))
    monkeypatch.setattr(connections, "JUST_NOW", 60)  # so nothing looks at them
    breakable.close_connections()

    assert_unavailable(breakable.deliver(upgrade))
    assert outcome(breakable.deliver(upgrade)) == "applied"
    assert outcome(breakable.deliver(upgrade)) == "duplicate"


def test_connection_made_after_a_loss_is_kept(breakable: Breakable) -> None:
    def query(expression: str) -> Any:
        with breakable.app.app_context():
            [row] = run_autocommit(select(literal_column(expression, Text())), {})
            return row[0]

    asleep = f"SELECT pid {OTHERS} AND query LIKE '%%sleep%%'"
    with ThreadPoolExecutor(1) as thread:
        sleeping = thread.submit(query, "1 FROM pg_sleep(60)")
        wait_until(lambda: breakable.sql(asleep))
        [[lost]] = breakable.sql(asleep)
        with breakable.app.app_context():
            db.engine.dispose()  # as after the loss of another connection
        new = query("pg_backend_pid()")
        breakable.sql("SELECT pg_terminate_backend(%s, 10000)", lost)

        assert isinstance(sleeping.exception(), DBAPIError)
    assert query("pg_backend_pid()") == new != lost


@pytest.mark.parametrize("failing", [False, True])
def test_session_never_gets_an_autocommit_connection(breakable: Breakable, failing: bool) -> None:
    if failing:
        breakable.fail_writes("RAISE disk_full", table="webhook_events")

    assert breakable.deliver(breakable.upgrade()).status_code == (503 if failing else 204)
    with breakable.app.app_context():
        used: Any = db.session.connection().connection.dbapi_connection
        assert used.autocommit is False


# Too few connections


def test_delivery_waits_briefly_for_a_connection_and_is_then_503(breakable: Breakable) -> None:
    upgrades = [breakable.upgrade() for _ in range(3)]

    with an_app(breakable.url, workers=8, db_connections=16) as app:  # one for deliveries
        with connected(breakable.url) as other, ThreadPoolExecutor(3) as pool:
            other("BEGIN; LOCK webhook_events")
            start = monotonic()
            responses = list(pool.map(lambda upgrade: deliver(app, upgrade), upgrades))
            assert monotonic() - start < 4
        for response in responses:
            assert_unavailable(response)
        assert [outcome(deliver(app, upgrade)) for upgrade in upgrades] == ["applied"] * 3


def test_threads_share_a_bounded_number_of_connections(breakable: Breakable) -> None:
    events: list[dict[str, Any]] = [{"event": "x", "id": an_id()} for _ in range(200)]

    with an_app(breakable.url, workers=1, db_connections=6) as app, ThreadPoolExecutor(20) as pool:
        responses = list(pool.map(lambda event: deliver(app, event), events))
        used = breakable.sql(f"SELECT pid {OTHERS} AND application_name = 'chirpy'")

    assert {outcome(response) for response in responses} == {"ignored"}
    assert len(used) in range(1, 5)  # two more are for sessions


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
