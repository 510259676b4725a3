"""How Postgres finds what is asked for: by an index, in the order wanted, however much there is."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import ClauseElement

from chirpy.accounts import sessions, users
from chirpy.chirps.chirping import FIND
from chirpy.chirps.timeline import PAGES
from chirpy.transactions import sql_of
from tests.factories import a_user

CHIRPS = 20_000  # enough for a sequential scan or a sort to cost more than an index
AT = "2026-01-08T00:00:00Z"  # in the middle of them


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


def plan_of(
    connection: Any, statement: ClauseElement, parameters: dict[str, Any], before: str = ""
) -> str:
    """What Postgres means to do for a statement of the application."""
    with connection.cursor() as cursor:
        cursor.execute(f"{before}EXPLAIN {sql_of(statement)}", parameters)
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


def test_one_chirp_is_found_by_its_key(connection: Any, author: UUID) -> None:
    plan = plan_of(connection, FIND, {"id": str(UUID(int=0))})

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
    connection: Any, statement: ClauseElement, parameters: dict[str, Any], index: str
) -> None:
    """Forced to: of a handful Postgres had better read them all."""
    plan = plan_of(connection, statement, parameters, "SET LOCAL enable_seqscan = off; ")

    assert f"Index Scan using {index}" in plan
