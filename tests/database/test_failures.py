"""Our trouble is not the provider's: 503, nothing left behind, and the next delivery counts."""

import json
import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from io import StringIO
from time import monotonic, sleep
from typing import Any
from uuid import UUID, uuid4

import psycopg2
import pytest
from flask import Flask
from psycopg2 import extensions
from sqlalchemy import URL, Text, literal_column, select
from sqlalchemy.exc import DBAPIError
from werkzeug.test import TestResponse

from chirpy.database import connections, engine, thread_connections
from chirpy.database.autocommit import run_autocommit
from chirpy.database.engine import db
from chirpy.settings import DRIVER
from chirpy.web.log_formatters import JSONFormatter
from chirpy.webhooks import receiving
from chirpy.webhooks.schemas import read_event
from tests.support.assertions import assert_error, database_unchanged
from tests.support.databases import (
    DELETE_ALL_ROWS,
    Sql,
    an_app,
    create_database,
    migrate,
    sql_on,
    url_text,
    use_cursor_class,
)
from tests.support.factories import API_KEY, a_user, an_event, an_id

PATH = "/api/polka/webhooks"
NOBODY_LISTENS = URL.create(DRIVER, username="chirpy", host="127.0.0.1", port=1)
PATIENCE = 30  # seconds for what takes a fraction of one on a quiet machine
PRIVATE = "between-polka-and-us"


@pytest.fixture(scope="module")
def database_in_trouble(database_url: URL, connection: Any) -> Iterator[URL]:
    """A database that no other test knows, so that anything may be done to it."""
    url = database_url.set(database=f"{database_url.database}_in_trouble")
    create_database(url)
    migrate(url)
    yield url
    with connection.cursor() as cursor:
        cursor.execute(f'DROP DATABASE "{url.database}" WITH (FORCE)')


@contextmanager
def a_connection(url: URL) -> Iterator[Any]:
    """A connection of somebody else."""
    with closing(psycopg2.connect(url_text(url))) as connection:
        yield connection


@pytest.fixture(scope="module")
def observer(database_in_trouble: URL) -> Iterator[Any]:
    with a_connection(database_in_trouble) as connection:
        connection.autocommit = True
        yield connection


@pytest.fixture
def sql(observer: Any) -> Iterator[Sql]:
    """As in every other test, and whatever was done to the database is undone afterwards."""
    ask = sql_on(observer)
    yield ask
    ask("DROP FUNCTION IF EXISTS trouble CASCADE")
    ask("DROP SEQUENCE IF EXISTS troubles")
    ask(DELETE_ALL_ROWS)


@pytest.fixture(scope="module")
def app_in_trouble(database_in_trouble: URL) -> Iterator[Flask]:
    with an_app(database_in_trouble) as app:
        yield app


@pytest.fixture
def app(app_in_trouble: Flask, sql: Sql) -> Iterator[Flask]:
    """An application that has no connection yet."""
    yield app_in_trouble
    with app_in_trouble.app_context():
        db.engine.dispose()


@pytest.fixture
def lines() -> Iterator[StringIO]:
    """The lines of the log, each a JSON object."""
    handler = logging.StreamHandler(stream := StringIO())
    handler.setFormatter(JSONFormatter())
    logging.getLogger().addHandler(handler)
    yield stream
    logging.getLogger().removeHandler(handler)


def deliver(app: Flask, given: dict[str, Any]) -> TestResponse:
    return app.test_client().post(PATH, json={"private": PRIVATE} | given, headers=API_KEY)


def unavailable(answer: TestResponse) -> bool:
    """Whether an answer says, in the one way there is, that another time it may work."""
    return answer.headers.get("Retry-After") == "1" and assert_error(answer, 503) == {
        "error": "The database is not available right now",
        "hint": (
            "Send the same request again. Without an Idempotency-Key, a repeated POST /api/chirps"
            " can create a second chirp"
        ),
    }


def broken(answer: TestResponse) -> bool:
    """Whether an answer says that something is wrong here, and not what."""
    return assert_error(answer, 500) == {"error": "Internal server error"}


def left(sql: Sql) -> list[tuple[Any, ...]]:
    """Every event and every membership there is."""
    return sql(
        "SELECT event_id, outcome, deliveries::text FROM webhook_events"
        " UNION ALL SELECT event_id, user_id::text, is_chirpy_red::text FROM memberships"
    )


def applied(sql: Sql, upgrade: dict[str, Any], deliveries: int = 1) -> list[tuple[Any, ...]]:
    """What is left of one upgrade."""
    user_id = upgrade["data"]["user_id"]
    return [(upgrade["id"], "applied", str(deliveries)), (upgrade["id"], user_id, "true")]


@pytest.fixture
def upgrade(sql: Sql) -> dict[str, Any]:
    return an_event(a_user(sql), id=an_id())


@pytest.fixture
def next_upgrade(app: Flask, upgrade: dict[str, Any]) -> dict[str, Any]:
    """An upgrade of somebody who was downgraded before: there is a membership to change."""
    deliver(app, upgrade | {"event": "user.downgraded", "id": an_id()})
    return upgrade


Trouble = Callable[..., None]


@pytest.fixture
def trouble(sql: Sql) -> Trouble:
    """Let Postgres do something at each write to a table, `times` times; no rollback undoes that.

    `at_commit`: not when the row is written, but when the transaction commits.
    """

    def arrange(
        act: str, times: int = 1_000_000, table: str = "memberships", *, at_commit: bool = False
    ) -> None:
        sql("CREATE SEQUENCE troubles")
        sql(
            f"""CREATE FUNCTION trouble() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            IF nextval('troubles') <= {times} THEN {act}; END IF; RETURN NEW; END $$"""
        )
        when = "AFTER" if at_commit else "BEFORE"
        sql(
            f"""CREATE {"CONSTRAINT" if at_commit else ""} TRIGGER trouble
            {when} INSERT OR UPDATE ON {table}
            {"DEFERRABLE INITIALLY DEFERRED" if at_commit else ""}
            FOR EACH ROW EXECUTE FUNCTION trouble()"""
        )

    return arrange


def failing(state: str) -> str:
    """What Postgres does to fail with an SQLSTATE."""
    return f"RAISE EXCEPTION 'a cause that is ours' USING ERRCODE = '{state}'"


def tries(sql: Sql) -> int:
    """How often a trouble was met, whether it still did something or not."""
    [[number]] = sql("SELECT last_value FROM troubles")
    return int(number)


# The database is away


def test_while_nobody_listens_a_delivery_is_to_come_again() -> None:
    with an_app(NOBODY_LISTENS) as app:
        assert unavailable(deliver(app, an_event(UUID(int=1))))


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [("{}", {}, 401), ("{", {"Authorization": "ApiKey x"}, 401), ("{", API_KEY, 400)],
)
def test_what_needs_no_database_is_answered_without_one(
    body: str, headers: dict[str, str], status: int
) -> None:
    with an_app(NOBODY_LISTENS) as app:
        answer = app.test_client().post(PATH, data=body, headers=headers)

    assert answer.status_code == status


def test_when_the_database_is_back_the_delivery_counts(
    app: Flask, sql: Sql, upgrade: dict[str, Any], database_in_trouble: URL, connection: Any
) -> None:
    name = database_in_trouble.database
    deliver(app, {"event": "warm.up", "id": "first"})
    with connection.cursor() as cursor:
        cursor.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
        try:
            sql(OTHERS_HANG_UP)
            while_away = deliver(app, upgrade)
        finally:
            cursor.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')

    assert unavailable(while_away)
    assert [event_id for event_id, *_ in left(sql)] == ["first"]
    assert deliver(app, upgrade).headers["Webhook-Outcome"] == "applied"


OTHERS_HANG_UP = """SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()"""


def test_connections_that_postgres_has_closed_are_no_trouble(
    app: Flask, sql: Sql, upgrade: dict[str, Any]
) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: deliver(app, {"event": "warm.up"}), range(8)))
        assert sql(OTHERS_HANG_UP)
        answers = list(pool.map(lambda _: deliver(app, upgrade), range(8)))

    assert [answer.status_code for answer in answers] == [204] * 8


def test_one_that_is_cut_in_the_midst_of_work_is_trouble_once_for_all_threads(
    app: Flask, sql: Sql, upgrade: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(thread_connections, "is_closed", lambda _: False)  # it comes after the look
    threads = [ThreadPoolExecutor(1) for _ in range(4)]

    def deliver_from_each() -> list[TestResponse]:
        return [thread.submit(deliver, app, upgrade).result() for thread in threads]

    try:
        [*warm_up] = deliver_from_each()
        assert sql(OTHERS_HANG_UP)
        first, *others = deliver_from_each()
    finally:
        for thread in threads:
            thread.shutdown()

    assert {answer.status_code for answer in warm_up} == {204}
    assert unavailable(first)
    assert [answer.headers["Webhook-Outcome"] for answer in others] == ["duplicate"] * 3


def test_one_that_was_made_since_is_not_taken_for_cut_as_well(app: Flask, sql: Sql) -> None:
    def ask(question: str) -> Any:
        with app.app_context():
            [row] = run_autocommit(select(literal_column(question, Text())), {})
            return row[0]

    asleep = "SELECT pid FROM pg_stat_activity WHERE pid = %s AND query LIKE '%%sleep%%'"
    with ThreadPoolExecutor(1) as one, ThreadPoolExecutor(1) as other:
        old, older = (of.submit(ask, "pg_backend_pid()").result() for of in (one, other))
        sleeping = other.submit(ask, "1 FROM pg_sleep(60)")
        until(lambda: sql(asleep, older) != [])
        with app.app_context():
            db.engine.dispose()  # as when a connection was lost
        new = one.submit(ask, "pg_backend_pid()").result()
        sql("SELECT pg_terminate_backend(%s, 10000)", older)

        assert isinstance(sleeping.exception(), DBAPIError)
        assert one.submit(ask, "pg_backend_pid()").result() == new != old


def test_a_connection_ends_with_the_thread_that_kept_it(
    app: Flask, sql: Sql, upgrade: dict[str, Any]
) -> None:
    others = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"

    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(deliver, app, upgrade).result().status_code == 204
        assert sql(f"SELECT application_name {others}") == [("chirpy",)]

    until(lambda: sql(f"SELECT pid {others}") == [])


def test_a_read_only_database_is_trouble_that_passes(
    sql: Sql, upgrade: dict[str, Any], database_in_trouble: URL
) -> None:
    read_only = f'ALTER DATABASE "{database_in_trouble.database}" %s default_transaction_read_only'
    sql(f"{read_only % 'SET'} = on")
    try:
        with database_unchanged(sql), an_app(database_in_trouble) as app:
            assert unavailable(deliver(app, upgrade))
    finally:
        sql(read_only % "RESET")

    with an_app(database_in_trouble) as app:
        assert deliver(app, upgrade).headers["Webhook-Outcome"] == "applied"


# The database is busy


def test_every_connection_bounds_its_waits(app: Flask) -> None:
    with app.app_context(), db.engine.connect() as connection:
        waits = [
            connection.exec_driver_sql(f"SHOW {name}").scalar_one()
            for name in ("lock_timeout", "statement_timeout")
        ]

    assert waits == ["2s", "5s"]


LOCKED = {
    "the membership": "SELECT FROM memberships WHERE user_id = %s FOR UPDATE",
    "the user": "SELECT FROM users WHERE id = %s FOR UPDATE",
    "the same event": "INSERT INTO webhook_events (event_id, type) VALUES (%s, 'x')",
}


def test_a_lock_held_too_long_is_trouble_that_passes(
    app: Flask, sql: Sql, database_in_trouble: URL
) -> None:
    users = [a_user(sql) for _ in LOCKED]
    old = [an_event(user_id, id=an_id(), timestamp="2026-01-01T00:00:00Z") for user_id in users]
    sql("INSERT INTO memberships VALUES (%s, false, '2025-01-01Z', 'x')", str(users[0]))

    with a_connection(database_in_trouble) as other, other.cursor() as cursor:
        for statement, given in zip(LOCKED.values(), old, strict=True):
            key = given["id"] if "webhook_events" in statement else given["data"]["user_id"]
            cursor.execute(statement, (key,))
        since = monotonic()
        with database_unchanged(sql), ThreadPoolExecutor(len(old)) as pool:
            refused = list(pool.map(lambda given: deliver(app, given), old))
        waited = monotonic() - since

    assert [unavailable(answer) for answer in refused] == [True] * len(LOCKED)
    assert 2 <= waited < 5
    assert [deliver(app, given).headers["Webhook-Outcome"] for given in old] == ["applied"] * 3


def test_a_statement_that_takes_too_long_is_trouble_that_passes(
    database_in_trouble: URL,
    sql: Sql,
    trouble: Trouble,
    upgrade: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connections, "SESSION_SETTINGS", "SET statement_timeout = '200ms'")
    trouble("PERFORM pg_sleep(60)", 1)

    with an_app(database_in_trouble) as app:
        with database_unchanged(sql):
            refused = deliver(app, upgrade)
        again = deliver(app, upgrade)

    assert unavailable(refused)
    assert again.headers["Webhook-Outcome"] == "applied"


def test_too_many_connections_are_trouble_that_passes(
    sql: Sql, upgrade: dict[str, Any], database_in_trouble: URL
) -> None:
    role = f"guest_of_{database_in_trouble.database}"
    sql(f"CREATE ROLE {role} LOGIN CONNECTION LIMIT 0")
    try:
        sql(f"GRANT pg_read_all_data, pg_write_all_data TO {role}")
        with an_app(database_in_trouble.set(username=role)) as app:
            with database_unchanged(sql):
                refused = deliver(app, upgrade)
            sql(f"ALTER ROLE {role} CONNECTION LIMIT 1")
            again = deliver(app, upgrade)
    finally:
        sql(f"DROP ROLE {role}")

    assert unavailable(refused)
    assert again.headers["Webhook-Outcome"] == "applied"
    assert left(sql) == applied(sql, upgrade)


def test_so_is_a_pool_whose_connections_are_all_taken(
    sql: Sql, upgrade: dict[str, Any], database_in_trouble: URL, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "POOL_TIMEOUT", 0.1)

    with an_app(database_in_trouble, threads=1) as app:
        with app.app_context():
            pool = db.engine
        with pool.connect(), database_unchanged(sql):
            refused = deliver(app, upgrade)
        again = deliver(app, upgrade)

    assert unavailable(refused)
    assert again.headers["Webhook-Outcome"] == "applied"


PASSES = {
    "connection failure": "08006",
    "serialization failure": "40001",
    "deadlock": "40P01",
    "disk full": "53100",
    "out of memory": "53200",
    "too many connections": "53300",
    "object in use": "55006",
    "lock not available": "55P03",
    "query canceled": "57014",
    "shutting down": "57P01",
    "starting up": "57P03",
    "read-only": "25006",
}
STAYS = {
    "raised by a trigger": "P0001",
    "no such table": "42P01",
    "not allowed": "42501",
    "a check of ours": "23514",
    "a unique constraint of ours": "23505",
    "in no transaction": "25P01",
    "a number too large": "22003",
    "internal error": "XX000",
}
MOMENTS = {
    "the event is recorded": {"table": "webhook_events"},
    "it takes effect": {"table": "memberships"},
    "the transaction commits": {"at_commit": True},
}
whenever = pytest.mark.parametrize("moment", MOMENTS.values(), ids=MOMENTS)


@whenever
@pytest.mark.parametrize("state", PASSES.values(), ids=PASSES)
def test_what_passes_is_a_503_and_changes_nothing(
    app: Flask,
    sql: Sql,
    trouble: Trouble,
    next_upgrade: dict[str, Any],
    state: str,
    moment: dict[str, Any],
) -> None:
    trouble(failing(state), **moment)

    with database_unchanged(sql):
        assert unavailable(deliver(app, next_upgrade))
    sql("DROP FUNCTION trouble CASCADE")
    assert deliver(app, next_upgrade).headers["Webhook-Outcome"] == "applied"


@whenever
@pytest.mark.parametrize("state", STAYS.values(), ids=STAYS)
def test_a_bug_is_a_500_that_tells_no_cause_and_changes_nothing(
    app: Flask,
    sql: Sql,
    trouble: Trouble,
    next_upgrade: dict[str, Any],
    state: str,
    moment: dict[str, Any],
) -> None:
    trouble(failing(state), **moment)

    with database_unchanged(sql):
        assert broken(deliver(app, next_upgrade))
    assert tries(sql) == 1
    sql("DROP FUNCTION trouble CASCADE")
    assert deliver(app, next_upgrade).headers["Webhook-Outcome"] == "applied"


def test_a_repeat_that_met_trouble_is_not_counted(
    app: Flask, sql: Sql, trouble: Trouble, upgrade: dict[str, Any]
) -> None:
    deliver(app, upgrade)
    trouble(failing("57014"), 1, "webhook_events")

    with database_unchanged(sql):
        assert unavailable(deliver(app, upgrade))
    assert deliver(app, upgrade).headers["Webhook-Outcome"] == "duplicate"
    assert left(sql) == applied(sql, upgrade, deliveries=2)


# Postgres undid it for the sake of another transaction


@whenever
@pytest.mark.parametrize("state", ["40001", "40P01"])
def test_what_postgres_has_undone_is_done_again(
    app: Flask,
    sql: Sql,
    trouble: Trouble,
    upgrade: dict[str, Any],
    state: str,
    moment: dict[str, Any],
) -> None:
    trouble(failing(state), 3, **moment)

    answer = deliver(app, upgrade)

    assert answer.headers["Webhook-Outcome"] == "applied"
    assert left(sql) == applied(sql, upgrade)


@whenever
def test_but_not_for_ever(
    app: Flask, sql: Sql, trouble: Trouble, upgrade: dict[str, Any], moment: dict[str, Any]
) -> None:
    trouble(failing("40001"), **moment)

    with database_unchanged(sql):
        assert unavailable(deliver(app, upgrade))
    assert tries(sql) == 4


def test_of_two_that_wait_for_each_other_a_delivery_tries_again(
    sql: Sql, upgrade: dict[str, Any], database_in_trouble: URL
) -> None:
    quick = f'ALTER DATABASE "{database_in_trouble.database}" %s deadlock_timeout'
    user_id = upgrade["data"]["user_id"]
    sql("INSERT INTO memberships VALUES (%s, false, '2025-01-01Z', 'x')", user_id)
    sql(f"{quick % 'SET'} = '300ms'")
    try:
        with (
            an_app(database_in_trouble) as app,
            a_connection(database_in_trouble) as other,
            other.cursor() as cursor,
            ThreadPoolExecutor(1) as pool,
        ):
            cursor.execute("SET deadlock_timeout = '60s'")  # the other one notices
            cursor.execute("SELECT FROM memberships FOR UPDATE")
            answer = pool.submit(deliver, app, upgrade)
            until(lambda: sql("SELECT pid FROM pg_locks WHERE NOT granted") != [])
            cursor.execute(
                "INSERT INTO webhook_events (event_id, type) VALUES (%s, 'x')", (upgrade["id"],)
            )
            other.rollback()
            outcome = answer.result().headers["Webhook-Outcome"]
    finally:
        sql(quick % "RESET")

    assert outcome == "applied"
    assert left(sql) == applied(sql, upgrade)


def until(holds: Callable[[], bool]) -> None:
    """Wait until something is so."""
    end = monotonic() + PATIENCE
    while not holds():
        assert monotonic() < end
        sleep(0.01)


def test_a_new_connection_that_is_closed_already_is_trouble_that_passes(
    app: Flask, upgrade: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is the statement that fails, not the pool, which would call it a misuse."""

    class Readable:
        def register(self, *_: object) -> None:
            """Take whatever is registered for closed."""

        def poll(self, _: float) -> list[int]:
            return [1]

    monkeypatch.setattr(connections, "poll", Readable)

    assert [deliver(app, upgrade).status_code for _ in range(2)] == [204] * 2


# Whether COMMIT happened, nobody can say


def test_a_commit_that_ended_with_the_server_is_undone_and_the_retry_counts(
    app: Flask, sql: Sql, trouble: Trouble, upgrade: dict[str, Any]
) -> None:
    trouble("PERFORM pg_terminate_backend(pg_backend_pid())", 1, at_commit=True)

    with database_unchanged(sql):
        assert unavailable(deliver(app, upgrade))
    assert deliver(app, upgrade).headers["Webhook-Outcome"] == "applied"
    assert left(sql) == applied(sql, upgrade)


def test_a_commit_whose_answer_was_lost_is_found_by_the_retry(
    database_in_trouble: URL, sql: Sql, upgrade: dict[str, Any]
) -> None:
    lost_connections: list[object] = []

    class LosingOnce(extensions.cursor):
        def execute(self, query: Any, vars: Any = None) -> None:  # noqa: A002 - psycopg2's name
            super().execute(query, vars)
            if "receive_event" in query and not lost_connections:
                lost_connections.append(sql(OTHERS_HANG_UP))
                super().execute("SELECT")

    with an_app(database_in_trouble) as app:
        use_cursor_class(app, LosingOnce)
        lost = deliver(app, upgrade)

        assert unavailable(lost)
        assert left(sql) == applied(sql, upgrade)
        assert deliver(app, upgrade).headers["Webhook-Outcome"] == "duplicate"
    assert left(sql) == applied(sql, upgrade, deliveries=2)


# Afterwards


def test_no_session_commits_each_statement_whatever_became_of_a_delivery(
    app: Flask, trouble: Trouble, upgrade: dict[str, Any]
) -> None:
    """Had it the connection of a statement alone, a view of several could be half done."""
    answers = [deliver(app, upgrade), deliver(app, an_event(uuid4()))]
    trouble(failing("53200"), table="webhook_events")
    answers.append(deliver(app, upgrade))

    assert [answer.status_code for answer in answers] == [204, 404, 503]
    with app.app_context():
        used: Any = db.session.connection().connection.dbapi_connection
        assert used.autocommit is False


# A bug

BUGS = {
    "a column is gone": (
        "ALTER TABLE memberships RENAME COLUMN as_of TO gone",
        "ALTER TABLE memberships RENAME COLUMN gone TO as_of",
        'column "as_of" of relation "memberships" does not exist',
    ),
    "a table is gone": (
        "ALTER TABLE webhook_events RENAME TO gone",
        "ALTER TABLE gone RENAME TO webhook_events",
        'relation "webhook_events" does not exist',
    ),
    "a check refuses what we let in": (
        "ALTER TABLE webhook_events ADD CONSTRAINT bug CHECK (type = 'x')",
        "ALTER TABLE webhook_events DROP CONSTRAINT bug",
        'new row for relation "webhook_events" violates check constraint "bug"',
    ),
}


@pytest.mark.parametrize("bug", BUGS.values(), ids=BUGS)
def test_the_log_knows_the_cause_of_a_bug_and_not_what_the_body_said(
    app: Flask, sql: Sql, upgrade: dict[str, Any], lines: StringIO, bug: tuple[str, str, str]
) -> None:
    make, mend, cause = bug
    with database_unchanged(sql):
        sql(make)
        try:
            answer = deliver(app, upgrade)
        finally:
            sql(mend)

    assert broken(answer)
    [failure, refused] = [json.loads(line) for line in lines.getvalue().splitlines()]
    assert cause in str(failure.values())
    assert "in receive" in failure["traceback"]
    assert failure["request_id"] == refused["request_id"] == answer.headers["X-Request-Id"]
    assert PRIVATE not in lines.getvalue()
    assert deliver(app, upgrade).headers["Webhook-Outcome"] == "applied"


def test_no_error_carries_what_a_body_said(app: Flask, trouble: Trouble) -> None:
    """Wherever it may be printed: in a log, in a terminal, by a debugger."""
    trouble(failing("XX000"), table="webhook_events")
    body = json.dumps({"event": PRIVATE})

    with app.app_context(), pytest.raises(DBAPIError) as failure:
        receiving.receive_autocommit(read_event(json.loads(body), None), body.encode())

    assert PRIVATE not in str(failure.value)
