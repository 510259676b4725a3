"""Every statement uses an index, in the order of its result, however many rows there are."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from psycopg2 import extensions
from sqlalchemy import URL, ClauseElement

from chirpy.accounts import login, refresh_tokens, users
from chirpy.chirps.posting import DELETE, FIND, FIND_AUTHOR
from chirpy.chirps.timeline import PAGES
from chirpy.database.autocommit import compiled
from chirpy.server.metrics.exporter import LastDelivery
from chirpy.webhooks import pruning
from tests.support.databases import (
    Sql,
    an_app,
    connected,
    migrate,
    new_database,
    use_cursor_class,
)
from tests.support.factories import a_user, an_event
from tests.support.failures import OTHERS, deliver, outcome
from tests.support.server import wait_until

ROWS = 20_000  # enough for a sequential scan or a sort to cost more than an index
TOKEN_HASH = b"x" * 32
NO_ID = str(UUID(int=0))
USER = {"user_id": NO_ID, "email": "x@example.com", "hashed_password": "x", "old_hash": "y"}
AT = "2026-01-08T00:00:00Z"  # in the middle of the chirps, and before the events


def assert_uses_index(plan: str) -> None:
    assert "Index" in plan
    assert "Seq Scan" not in plan
    assert "Sort" not in plan


# Statements of the application


@pytest.fixture(scope="module")
def author(session_sql: Sql) -> Iterator[UUID]:
    """Insert many chirps of 20 users, and return one of these."""
    authors = [a_user(session_sql) for _ in range(20)]
    session_sql(
        """INSERT INTO chirps (user_id, body, created_at)
        SELECT (%s::uuid[])[1 + n %% 20], 'Hello', timestamptz '2026-01-01' + n * interval '1 min'
        FROM generate_series(1, %s) n""",
        [str(author) for author in authors],
        ROWS,
    )
    session_sql("ANALYZE chirps")
    yield authors[0]
    session_sql("DELETE FROM users")


def plan_of(
    session_sql: Sql, statement: ClauseElement, parameters: dict[str, Any], before: str = ""
) -> str:
    """Return the plan of a statement of the application."""
    rows = session_sql(f"{before}EXPLAIN {compiled(statement)}", **parameters)
    return "\n".join(line for [line] in rows)


@pytest.mark.parametrize("kind", PAGES, ids=str)
def test_page_of_chirps_uses_an_index(
    session_sql: Sql, author: UUID, kind: tuple[bool, bool, bool]
) -> None:
    query = {"at": AT, "id": NO_ID, "author_id": str(author), "limit": 101}

    assert_uses_index(plan_of(session_sql, PAGES[kind], query))


@pytest.mark.parametrize("statement", [FIND, FIND_AUTHOR, DELETE], ids=["show", "author", "delete"])
def test_chirp_is_found_by_its_key(
    session_sql: Sql, author: UUID, statement: ClauseElement
) -> None:
    plan = plan_of(session_sql, statement, {"id": NO_ID})

    assert "Index Scan using pk_chirps on chirps" in plan
    assert_uses_index(plan)


@pytest.mark.parametrize(
    ("statement", "parameters", "index"),
    [
        (login.FIND, {"email": "x@example.com"}, "uq_users_lower_email"),
        (users.LOCK_HASH, USER, "pk_users"),
        (users.CHANGE, USER, "pk_users"),
        (login.REPLACE_HASH, USER, "pk_users"),
        (refresh_tokens.FIND_USER_ID, {"token_hash": TOKEN_HASH}, "pk_refresh_tokens"),
        (refresh_tokens.REVOKE, {"hash_of_token": TOKEN_HASH}, "pk_refresh_tokens"),
        (refresh_tokens.REVOKE_ALL, {"id_of_user": NO_ID}, "ix_refresh_tokens_user_id"),
    ],
    ids=["log in", "lock user", "change user", "replace hash", "refresh", "revoke", "revoke all"],
)
def test_user_is_found_by_an_index(
    session_sql: Sql, statement: ClauseElement, parameters: dict[str, Any], index: str
) -> None:
    # With this few users, Postgres would otherwise read them all.
    few_rows = "SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off; "
    plan = plan_of(session_sql, statement, parameters, few_rows)

    assert f"Index Scan using {index}" in plan


# The delivery log. The plans of receive_event are hidden, but Postgres counts what it scans.

INSERT_EVENTS = f"""
    INSERT INTO users (email) SELECT n || '@example.com' FROM generate_series(1, 5000) n;
    INSERT INTO memberships SELECT id, true, '2026-01-01', 'evt_0' FROM users;
    INSERT INTO webhook_events
        (event_id, type, user_id, outcome, body, first_delivered_at, last_delivered_at)
    SELECT 'evt_of_' || n, 'user.upgraded', (SELECT min(id::text)::uuid FROM users),
        CASE n %% 10 WHEN 0 THEN 'stale' ELSE 'applied' END, '{{}}', at, at
    FROM generate_series(1, {ROWS}) n,
        LATERAL (SELECT timestamptz '{AT}' + n * '1 s'::interval) moment (at);
    ANALYZE
"""


@pytest.fixture(scope="session")
def full_url(database_url: URL) -> Iterator[URL]:
    """Provide a database with many events."""
    with new_database(database_url, "full") as url:
        migrate(url)
        run_alone(url, INSERT_EVENTS)
        yield url


def run_alone(url: URL, statement: str) -> list[tuple[Any, ...]]:
    """Run a statement after all other connections ended, and thereby reported their scans."""
    with connected(url) as sql:
        wait_until(lambda: not sql(f"SELECT pid {OTHERS} AND backend_type = 'client backend'"))
        return sql(statement)


def scans(url: URL) -> dict[str, tuple[int, int]]:
    """Return the number of sequential scans and of index scans of each table."""
    rows = run_alone(url, "SELECT relname, seq_scan, idx_scan FROM pg_stat_user_tables")
    return {table: (sequential, by_index or 0) for table, sequential, by_index in rows}


def test_deliveries_and_their_log_make_no_sequential_scan(full_url: URL) -> None:
    [[user_id]] = run_alone(full_url, "SELECT user_id FROM webhook_events LIMIT 1")
    early, late = "2025-01-01T00:00:00Z", "2026-02-01T00:00:00Z"
    before = scans(full_url)

    with an_app(full_url) as app:
        outcomes = [
            outcome(deliver(app, an_event(user_id, id=event_id, timestamp=at)))
            for event_id, at in [("new", late), ("new", late), ("late", early)]
        ]
        log = app.test_client().get("/admin/webhooks?limit=3").get_json()
        assert list(LastDelivery(app).collect())

    after = scans(full_url)
    assert (outcomes, len(log)) == (["applied", "duplicate", "stale"], 3)
    assert after["webhook_events"][1] > before["webhook_events"][1]
    assert [table for table in after if after[table][0] != before[table][0]] == []


@pytest.mark.parametrize(
    "command",
    [
        "list",
        "list --outcome stale",
        "list --type user.upgraded",
        "list --user 3311741c-680c-4546-99f3-fc9efac2036c",
        "list --since 2026-01-08T05:00",
        "list --since 2026-01-08T05:00 --outcome stale --type user.upgraded",
        "show evt_of_7",
        "prune --older-than 2026-01-08T00:10",
    ],
)
def test_command_of_the_delivery_log_uses_an_index(
    full_url: URL, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    plans: list[str] = []

    class ExplainingCursor(extensions.cursor):
        def execute(self, query: Any, vars: Any = None) -> None:  # noqa: A002 - psycopg2's name
            if query.split(maxsplit=1)[0] in {"SELECT", "UPDATE"}:
                super().execute(f"EXPLAIN {query}", vars)
                plans.append("\n".join(line for [line] in self.fetchall()))
            super().execute(query, vars)

    monkeypatch.setattr(pruning, "BATCH", 100)  # in proportion to the number of rows
    with an_app(full_url) as app:
        use_cursor_class(app, ExplainingCursor)
        result = app.test_cli_runner().invoke(args=["webhooks", *command.split()])

    assert result.exit_code == 0
    assert plans
    for plan in plans:
        assert_uses_index(plan)
