"""How Postgres finds what is asked for: by an index, in the order wanted, however much there is."""

from collections.abc import Iterator
from contextlib import closing
from typing import Any
from uuid import UUID

import psycopg2
import pytest
from flask import Flask
from psycopg2 import extensions
from sqlalchemy import URL, ClauseElement

from chirpy.accounts import login, refresh_tokens, users
from chirpy.chirps.posting import DELETE, FIND, FIND_AUTHOR
from chirpy.chirps.timeline import PAGES
from chirpy.database.autocommit import compiled
from chirpy.webhooks import pruning
from tests.support.databases import (
    an_app,
    create_database,
    migrate,
    sql_on,
    url_text,
    use_cursor_class,
)
from tests.support.factories import API_KEY, a_user, an_event
from tests.support.server import wait_until

CHIRPS = 20_000  # enough for a sequential scan or a sort to cost more than an index
PATH = "/api/polka/webhooks"
TOKEN_HASH = b"x" * 32
SOMEBODY = {
    "user_id": str(UUID(int=0)),
    "email": "x@example.com",
    "hashed_password": "x",
    "old_hash": "y",
}
AT = "2026-01-08T00:00:00Z"  # in the middle of them; the events come later


@pytest.fixture(scope="module")
def author(connection: Any) -> Iterator[UUID]:
    """Somebody among others who have said a lot."""
    sql = sql_on(connection)
    authors = [a_user(sql) for _ in range(20)]
    sql(
        """INSERT INTO chirps (user_id, body, created_at)
        SELECT (%s::uuid[])[1 + n %% 20], 'Hello', timestamptz '2026-01-01' + n * interval '1 min'
        FROM generate_series(1, %s) n""",
        [str(author) for author in authors],
        CHIRPS,
    )
    sql("ANALYZE chirps")
    yield authors[0]
    sql("DELETE FROM users")


def plan_of(
    connection: Any, statement: ClauseElement, parameters: dict[str, Any], before: str = ""
) -> str:
    """What Postgres means to do for a statement of the application."""
    with connection.cursor() as cursor:
        cursor.execute(f"{before}EXPLAIN {compiled(statement)}", parameters)
        return "\n".join(line for [line] in cursor.fetchall())


@pytest.mark.parametrize("kind", PAGES, ids=str)
def test_a_page_is_read_off_an_index_in_its_order(
    connection: Any, author: UUID, kind: tuple[bool, bool, bool]
) -> None:
    """Newest first or not, of one author or of all, the first page or one deep inside."""
    place = {"at": AT, "id": str(UUID(int=0))}

    plan = plan_of(connection, PAGES[kind], {"author_id": str(author), "limit": 101, **place})

    assert "Index Scan" in plan
    assert "Seq Scan" not in plan
    assert "Sort" not in plan


@pytest.mark.parametrize("statement", [FIND, FIND_AUTHOR, DELETE], ids=["show", "author", "delete"])
def test_one_chirp_is_found_by_its_key(
    connection: Any, author: UUID, statement: ClauseElement
) -> None:
    plan = plan_of(connection, statement, {"id": str(UUID(int=0))})

    assert "Index Scan using pk_chirps on chirps" in plan
    assert "Seq Scan" not in plan


@pytest.mark.parametrize(
    ("statement", "parameters", "index"),
    [
        (login.FIND, {"email": "x@example.com"}, "uq_users_lower_email"),
        (users.CHANGE, SOMEBODY, "pk_users"),
        (login.REPLACE_HASH, SOMEBODY, "pk_users"),
        (refresh_tokens.FIND_USER, {"token_hash": TOKEN_HASH}, "pk_refresh_tokens"),
        (refresh_tokens.REVOKE, {"hash_of_token": TOKEN_HASH}, "pk_refresh_tokens"),
    ],
    ids=["by email", "to change", "to hash anew", "by refresh token", "to revoke"],
)
def test_people_are_found_by_an_index(
    connection: Any, statement: ClauseElement, parameters: dict[str, Any], index: str
) -> None:
    """Forced to: of a handful Postgres had better read them all."""
    plan = plan_of(connection, statement, parameters, "SET LOCAL enable_seqscan = off; ")

    assert f"Index Scan using {index}" in plan


# Inside a function, plans show only by what they read

EVENTS = 20_000
MANY = f"""
    INSERT INTO users (email) SELECT n || '@example.com' FROM generate_series(1, 5000) n;
    INSERT INTO memberships SELECT id, true, '2026-01-01', 'evt_0' FROM users;
    INSERT INTO webhook_events
        (event_id, type, user_id, outcome, body, first_delivered_at, last_delivered_at)
    SELECT 'evt_of_' || n, 'user.upgraded', (SELECT min(id::text)::uuid FROM users),
        CASE n % 10 WHEN 0 THEN 'stale' ELSE 'applied' END, '{{}}', at, at
    FROM generate_series(1, {EVENTS}) n,
        LATERAL (SELECT timestamptz '{AT}' + n * '1 s'::interval) moment (at);
    ANALYZE
"""
OTHERS = """SELECT FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
    AND backend_type = 'client backend'"""


@pytest.fixture(scope="session")
def full(database_url: URL) -> URL:
    """A database with many events, which nobody else looks at."""
    url = database_url.set(database=f"{database_url.database}_full")
    create_database(url)
    migrate(url)
    ask(url, MANY)
    return url


def ask(url: URL, question: str) -> list[tuple[Any, ...]]:
    """Ask once everybody else has hung up, and with that told what they have read."""
    with closing(psycopg2.connect(url_text(url))) as connection, connection.cursor() as cursor:
        connection.autocommit = True

        def is_alone() -> bool:
            cursor.execute(OTHERS)
            return cursor.rowcount == 0

        wait_until(is_alone)
        cursor.execute(question)
        return cursor.fetchall() if cursor.description else []


def scans(url: URL) -> dict[str, tuple[int, int]]:
    """How often each table was read from end to end, and how often by an index."""
    counted = ask(url, "SELECT relname, seq_scan, coalesce(idx_scan, 0) FROM pg_stat_user_tables")
    return {table: (from_end_to_end, by_index) for table, from_end_to_end, by_index in counted}


def test_a_delivery_and_the_log_of_them_read_no_table_from_end_to_end(full: URL) -> None:
    [[user_id]] = ask(full, "SELECT user_id FROM webhook_events LIMIT 1")
    early, late = "2025-01-01T00:00:00Z", "2026-02-01T00:00:00Z"
    before = scans(full)

    with an_app(full) as app:
        client = app.test_client()
        outcomes = [
            client.post(
                PATH, json=an_event(user_id, id=event_id, timestamp=at), headers=API_KEY
            ).headers["Webhook-Outcome"]
            for event_id, at in [("new", late), ("new", late), ("late", early)]
        ]
        listed = client.get("/admin/webhooks?limit=3").get_json()

    after = scans(full)
    assert (outcomes, len(listed)) == (["applied", "duplicate", "stale"], 3)
    assert after["webhook_events"][1] > before["webhook_events"][1]
    assert [table for table in after if after[table][0] != before[table][0]] == []


# Of whatever a command asks


@pytest.fixture
def plans(full: URL) -> Iterator[tuple[Flask, list[str]]]:
    """An application, and what Postgres means to do for each statement that it is told."""
    plans: list[str] = []

    class Explaining(extensions.cursor):
        def execute(self, query: Any, vars: Any = None) -> None:  # noqa: A002 - psycopg2's name
            if query.split(maxsplit=1)[0] in {"SELECT", "UPDATE"}:
                super().execute(f"EXPLAIN {query}", vars)
                plans.append("\n".join(line for [line] in self.fetchall()))
            super().execute(query, vars)

    with an_app(full) as app:
        use_cursor_class(app, Explaining)
        yield app, plans


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
def test_a_command_reads_an_index_in_its_order(
    plans: tuple[Flask, list[str]], monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    app, seen = plans
    monkeypatch.setattr(pruning, "BATCH", 100)  # of 20,000 as 5,000 are of a million

    ended = app.test_cli_runner().invoke(args=["webhooks", *command.split()])

    assert ended.exit_code == 0
    assert seen
    for plan in seen:
        assert "Index" in plan
        assert "Seq Scan" not in plan
        assert "Sort" not in plan
