"""What people with psql find: tables and columns, and names that say what they are about."""

import re

import pytest

from tests.support.databases import Sql

# by name; a question mark for those that may be NULL
COLUMNS = {
    "users": {
        "id": "uuid",
        "created_at": "timestamptz",
        "updated_at": "timestamptz",
        "email": "text",
        "hashed_password": "text",
    },
    "refresh_tokens": {
        "token_hash": "bytea",
        "created_at": "timestamptz",
        "updated_at": "timestamptz",
        "user_id": "uuid",
        "expires_at": "timestamptz",
        "revoked_at": "timestamptz?",
    },
    "memberships": {
        "user_id": "uuid",
        "is_chirpy_red": "bool",
        "as_of": "timestamptz",
        "event_id": "text",
    },
    "chirps": {
        "id": "uuid",
        "created_at": "timestamptz",
        "updated_at": "timestamptz",
        "body": "text",
        "user_id": "uuid",
        "idempotency_key": "text?",
        "posted_hash": "bytea?",
    },
    "webhook_events": {
        "id": "uuid",
        "provider": "text",
        "event_id": "text",
        "type": "text",
        "user_id": "uuid?",
        "occurred_at": "timestamptz?",
        "body": "text?",
        "fingerprint": "bytea?",
        "outcome": "text",
        "deliveries": "int4",
        "first_delivered_at": "timestamptz",
        "last_delivered_at": "timestamptz",
    },
}
OURS = "t.relnamespace = 'public'::regnamespace AND t.relname <> 'alembic_version'"


def test_the_tables_are_these(sql: Sql) -> None:
    tables = sql("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")

    assert {name for [name] in tables} == {*COLUMNS, "alembic_version"}


@pytest.mark.parametrize("table", COLUMNS)
def test_the_columns_are_these(sql: Sql, table: str) -> None:
    columns = sql(
        """SELECT column_name, udt_name || CASE is_nullable WHEN 'YES' THEN '?' ELSE '' END
        FROM information_schema.columns WHERE table_name = %s ORDER BY ordinal_position""",
        table,
    )

    assert dict(columns) == COLUMNS[table]


def test_every_moment_has_a_zone(sql: Sql) -> None:
    without = sql(
        """SELECT table_name, column_name FROM information_schema.columns
        WHERE table_schema = 'public' AND data_type IN ('timestamp without time zone', 'date')"""
    )

    assert without == []


def test_every_constraint_says_in_its_name_what_it_is_about(sql: Sql) -> None:
    kinds = {"p": "pk", "f": "fk", "u": "uq", "c": "ck"}
    constraints = sql(
        f"""SELECT relname, contype::text, conname
        FROM pg_constraint JOIN pg_class t ON t.oid = conrelid
        WHERE {OURS} AND contype IN ('p', 'f', 'u', 'c')"""
    )

    names = {name for _, _, name in constraints}
    assert names >= {"pk_users", "fk_chirps_user_id_users", "ck_chirps_body_length"}
    for table, kind, name in constraints:
        assert re.fullmatch(rf"{kinds[kind]}_{table}(_.*\D)?", name)


def test_every_index_says_in_its_name_what_it_is_of(sql: Sql) -> None:
    indexes = sql(
        f"""SELECT t.relname, i.relname
        FROM pg_index JOIN pg_class t ON t.oid = indrelid JOIN pg_class i ON i.oid = indexrelid
        WHERE {OURS}"""
    )

    names = {name for _, name in indexes}
    assert names >= {"uq_users_lower_email", "ix_chirps_created_at_id", "pk_webhook_events"}
    for table, name in indexes:
        assert re.fullmatch(rf"(pk|uq|ix)_{table}(_.*\D)?", name)


def test_every_foreign_key_has_an_index_to_delete_by(sql: Sql) -> None:
    without = sql(
        """SELECT conname FROM pg_constraint c WHERE contype = 'f' AND NOT EXISTS
        (SELECT FROM pg_index WHERE indrelid = c.conrelid AND indkey[0] = c.conkey[1])"""
    )

    assert without == []
