"""Transient errors are a 503, bugs a 500; either leaves nothing, and the next delivery succeeds."""

import json
from concurrent.futures import ThreadPoolExecutor
from io import StringIO
from time import monotonic
from typing import Any

import pytest

from chirpy.database.engine import db
from chirpy.database.errors import NEXT_STEPS
from tests.support.assertions import assert_error
from tests.support.databases import an_app, connected
from tests.support.factories import a_user, an_event, an_id
from tests.support.failures import Breakable, assert_unavailable, deliver, outcome
from tests.support.server import wait_until

# Connection failure, serialization failure, disk full, lock not available, canceled, read-only.
TRANSIENT = ["08006", "40001", "53100", "55P03", "57014", "25006"]
# An operator must do something first.
OPERATORS = ["28000", "3D000", "3F000", "42501", "42P01", "58030", "58P01", "XX001", "XX002"]
# Raised by a trigger, check violation, no active transaction, number out of range, internal error.
BUGS = ["P0001", "23514", "25P01", "22003", "XX000"]
MOMENTS = {
    "writing the event": {"table": "webhook_events"},
    "writing the membership": {"table": "memberships"},
    "commit": {"at_commit": True},
}
each_moment = pytest.mark.parametrize("moment", MOMENTS.values(), ids=MOMENTS)


def raising(sqlstate: str) -> str:
    """Return the PL/pgSQL statement that fails with this SQLSTATE."""
    return f"RAISE EXCEPTION 'the cause' USING ERRCODE = '{sqlstate}'"


@each_moment
@pytest.mark.parametrize("sqlstate", TRANSIENT + BUGS)
def test_transient_error_is_503_and_any_other_is_500_without_its_cause(
    breakable: Breakable, sqlstate: str, moment: dict[str, Any]
) -> None:
    upgrade = breakable.upgrade_of_member()
    breakable.fail_writes(raising(sqlstate), **moment)

    with breakable.unchanged():
        response = breakable.deliver(upgrade)
    if sqlstate in TRANSIENT:
        assert_unavailable(response)
    else:
        assert assert_error(response, 500) == {"error": "Internal server error"}
        assert breakable.attempts() == 1
    breakable.stop_failing()
    assert outcome(breakable.deliver(upgrade)) == "applied"


def test_duplicate_that_met_a_transient_error_is_not_counted(breakable: Breakable) -> None:
    upgrade = breakable.upgrade()
    breakable.deliver(upgrade)
    breakable.fail_writes(raising("57014"), 1, "webhook_events")

    with breakable.unchanged():
        assert_unavailable(breakable.deliver(upgrade))
    assert outcome(breakable.deliver(upgrade)) == "duplicate"
    breakable.assert_applied(upgrade, deliveries=2)


@pytest.mark.parametrize("sqlstate", OPERATORS)
def test_error_that_an_operator_can_fix_is_503_and_logs_how(
    breakable: Breakable, sqlstate: str, log: StringIO
) -> None:
    upgrade = breakable.upgrade()
    breakable.fail_writes(raising(sqlstate))

    with breakable.unchanged():
        assert_error(breakable.deliver(upgrade), 503)
    line = json.loads(log.getvalue().splitlines()[0])
    assert (line["message"], line["cause"]) == ("Database unavailable", "the cause")
    assert line["next"] == NEXT_STEPS[sqlstate if sqlstate in NEXT_STEPS else sqlstate[:2]]


@pytest.mark.parametrize(
    ("name", "value", "step"),
    [
        ("search_path", "nowhere", "search_path"),
        ("role", "pg_monitor", "GRANT"),  # a role without rights on the tables
        ("default_transaction_read_only", "on", "target_session_attrs=read-write"),
    ],
)
def test_wrong_setting_of_the_database_is_503_until_it_is_corrected(
    breakable: Breakable, log: StringIO, name: str, value: str, step: str
) -> None:
    upgrade = breakable.upgrade()
    with an_app(breakable.url) as app:
        with breakable.altered(name, value), breakable.unchanged():
            assert_error(deliver(app, upgrade), 503)
            assert_error(app.test_client().post("/admin/reset"), 503)  # in a session
        lines = [json.loads(line) for line in log.getvalue().splitlines()]
        assert [step in line["next"] for line in lines if "next" in line] == [True, True]
        if name == "default_transaction_read_only":  # the connections were closed
            assert outcome(deliver(app, upgrade)) == "applied"
            assert app.test_client().post("/admin/reset").status_code == 200


# Timeouts


def test_each_connection_limits_locks_and_statements(breakable: Breakable) -> None:
    with breakable.app.app_context(), db.engine.connect() as connection:
        limits = [
            connection.exec_driver_sql(f"SHOW {name}").scalar_one()
            for name in ("lock_timeout", "statement_timeout")
        ]

    assert limits == ["2s", "5s"]


LOCKS = [
    "SELECT FROM memberships WHERE user_id = %(user)s FOR UPDATE",
    "SELECT FROM users WHERE id = %(user)s FOR UPDATE",
    "INSERT INTO webhook_events (event_id, type) VALUES (%(event)s, 'x')",
]


def test_lock_that_is_held_too_long_is_503(breakable: Breakable) -> None:
    users = [a_user(breakable.sql) for _ in LOCKS]
    events = [an_event(user, id=an_id(), timestamp="2026-01-01T00:00:00Z") for user in users]
    breakable.sql("INSERT INTO memberships VALUES (%s, false, '2025-01-01Z', 'x')", str(users[0]))

    with connected(breakable.url) as other:
        other("BEGIN")
        for lock, user, event in zip(LOCKS, users, events, strict=True):
            other(lock, user=str(user), event=event["id"])
        start = monotonic()
        with breakable.unchanged(), ThreadPoolExecutor(len(events)) as pool:
            responses = list(pool.map(breakable.deliver, events))
        waited = monotonic() - start

    for response in responses:
        assert_unavailable(response)
    assert 2 <= waited < 5
    assert [outcome(breakable.deliver(event)) for event in events] == ["applied"] * 3


# Retries after a serialization failure or a deadlock


@each_moment
@pytest.mark.parametrize("sqlstate", ["40001", "40P01"])
def test_conflict_is_retried_up_to_four_attempts(
    breakable: Breakable, sqlstate: str, moment: dict[str, Any]
) -> None:
    upgrade = breakable.upgrade()
    breakable.fail_writes(raising(sqlstate), 3, **moment)

    assert outcome(breakable.deliver(upgrade)) == "applied"
    breakable.assert_applied(upgrade)


@each_moment
def test_conflict_of_the_fourth_attempt_is_503(
    breakable: Breakable, moment: dict[str, Any]
) -> None:
    upgrade = breakable.upgrade()
    breakable.fail_writes(raising("40001"), **moment)

    with breakable.unchanged():
        assert_unavailable(breakable.deliver(upgrade))
    assert breakable.attempts() == 4


def test_delivery_is_retried_after_a_real_deadlock(breakable: Breakable) -> None:
    upgrade = breakable.upgrade()
    user_id, insert = upgrade["data"]["user_id"], "INSERT INTO webhook_events (event_id, type)"
    breakable.sql("INSERT INTO memberships VALUES (%s, false, '2025-01-01Z', 'x')", user_id)

    with (
        breakable.altered("deadlock_timeout", "'300ms'"),
        connected(breakable.url) as other,
        ThreadPoolExecutor(1) as pool,
    ):
        other("SET deadlock_timeout = '60s'")  # so that Postgres aborts the delivery
        other("BEGIN; SELECT FROM memberships FOR UPDATE")
        response = pool.submit(breakable.deliver, upgrade)
        wait_until(lambda: breakable.sql("SELECT pid FROM pg_locks WHERE NOT granted"))
        other(f"{insert} VALUES (%s, 'x')", upgrade["id"])
        other("ROLLBACK")
        assert outcome(response.result()) == "applied"
    breakable.assert_applied(upgrade)
