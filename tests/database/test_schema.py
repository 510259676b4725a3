"""All tables follow the same rules: times with a zone, named constraints, indexed foreign keys."""

import re

from tests.support.databases import Sql

OURS = "t.relnamespace = 'public'::regnamespace AND t.relname <> 'alembic_version'"


def test_every_time_has_a_zone(sql: Sql) -> None:
    found = sql(
        """SELECT table_name, column_name FROM information_schema.columns
        WHERE table_schema = 'public' AND data_type IN ('timestamp without time zone', 'date')"""
    )

    assert found == []


def test_constraints_are_named_by_kind_table_and_subject(sql: Sql) -> None:
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


def test_indexes_are_named_by_kind_and_table(sql: Sql) -> None:
    indexes = sql(
        f"""SELECT t.relname, i.relname
        FROM pg_index JOIN pg_class t ON t.oid = indrelid JOIN pg_class i ON i.oid = indexrelid
        WHERE {OURS}"""
    )

    names = {name for _, name in indexes}
    assert names >= {"uq_users_lower_email", "ix_chirps_created_at_id", "pk_webhook_events"}
    for table, name in indexes:
        assert re.fullmatch(rf"(pk|uq|ix)_{table}(_.*\D)?", name)


def test_every_foreign_key_has_an_index(sql: Sql) -> None:
    found = sql(
        """SELECT conname FROM pg_constraint c WHERE contype = 'f' AND NOT EXISTS
        (SELECT FROM pg_index WHERE indrelid = c.conrelid AND indkey[0] = c.conkey[1])"""
    )

    assert found == []
