"""How Postgres finds what is asked for: by an index, in the order wanted, however much there is."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import Executable, event

from chirpy.accounts import sessions, users
from chirpy.chirps.chirping import FIND
from chirpy.chirps.timeline import PAGES
from chirpy.database import db
from chirpy.transactions import alone
from tests.factories import a_user

CHIRPS = 20_000  # enough for a sequential scan or a sort to cost more than an index
AT = "2026-01-31T12:00:00Z"


@pytest.fixture(scope="module")
def author(connection: Any) -> Iterator[UUID]:
    """Somebody among others who have said a lot."""

    def sql(statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
        with connection.cursor() as cursor:
            cursor.execute(statement, parameters)
            return cursor.fetchall() if cursor.description else []

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


def plan_of(app: Flask, statement: Executable, parameters: dict[str, Any], before: str = "") -> str:
    """What Postgres means to do for a statement of the application."""

    def explain(_c: object, _k: object, text: str, given: Any, *_: object) -> tuple[str, Any]:
        return f"{before}EXPLAIN {text}", given

    with app.app_context():
        engine = db.engine
        event.listen(engine, "before_cursor_execute", explain, retval=True)
        try:
            return "\n".join(line for [line] in alone(statement, parameters))
        finally:
            event.remove(engine, "before_cursor_execute", explain)


@pytest.mark.parametrize("kind", PAGES, ids=str)
def test_a_page_is_read_off_an_index_in_its_order(
    session_app: Flask, author: UUID, kind: tuple[bool, bool, bool]
) -> None:
    """Newest first or not, of one author or of all, the first page or one deep inside."""
    place = {"at": AT, "id": UUID(int=0)}

    plan = plan_of(session_app, PAGES[kind], {"author_id": author, "limit": 101, **place})

    assert "Index Scan" in plan
    assert "Seq Scan" not in plan
    assert "Sort" not in plan


def test_one_chirp_is_found_by_its_key(session_app: Flask, author: UUID) -> None:
    plan = plan_of(session_app, FIND, {"id": UUID(int=0)})

    assert plan.startswith("Index Scan using pk_chirps on chirps")


@pytest.mark.parametrize(
    ("statement", "parameters", "index"),
    [
        (users.FIND, {"email": "x@example.com"}, "uq_users_lower_email"),
        (sessions.USER_OF, {"token_hash": b"x" * 32}, "pk_refresh_tokens"),
    ],
    ids=["by email", "by refresh token"],
)
def test_people_are_found_by_an_index(
    session_app: Flask, statement: Executable, parameters: dict[str, Any], index: str
) -> None:
    """Forced to: of a handful Postgres had better read them all."""
    plan = plan_of(session_app, statement, parameters, "SET LOCAL enable_seqscan = off; ")

    assert f"Index Scan using {index}" in plan
