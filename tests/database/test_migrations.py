"""Migrations apply and undo one by one, match the models, and run once when started twice."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import URL

from chirpy.database.engine import db
from tests.support.databases import alembic_config, an_app, connected, migrate
from tests.support.server import PROJECT, wait_until

RECEIVE_EVENT = PROJECT / "chirpy" / "webhooks" / "receive_event.sql"
STEPS = ScriptDirectory.from_config(alembic_config())
SCHEMA = """
    SELECT 'column' AS kind, table_name::text AS of, column_name::text,
        concat_ws(' ', udt_name, collation_name, is_nullable, column_default)
    FROM information_schema.columns WHERE table_schema = 'public'
    UNION ALL
    SELECT 'table', relname, relpersistence::text, '' FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
    UNION ALL
    SELECT 'constraint', conrelid::regclass::text, conname, pg_get_constraintdef(oid)
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace
    UNION ALL
    SELECT 'index', tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'
    UNION ALL
    SELECT 'function', proname, pg_get_function_arguments(oid), prosrc
    FROM pg_proc WHERE pronamespace = 'public'::regnamespace
    UNION ALL
    SELECT 'sequence', sequencename, '', data_type::text FROM pg_sequences
"""
OURS = f"SELECT * FROM ({SCHEMA}) AS everything WHERE of <> 'alembic_version' ORDER BY 1, 2, 3"


def schema_of(url: URL) -> list[tuple[Any, ...]]:
    """Return every table, column, constraint, index, function and sequence."""
    with connected(url) as sql:
        return sql(OURS)


def test_each_migration_can_be_undone(empty_url: URL) -> None:
    with an_app(empty_url) as app, app.app_context():
        for step in reversed(list(STEPS.walk_revisions())):
            before = schema_of(empty_url)
            command.upgrade(alembic_config(), step.revision)
            after = schema_of(empty_url)
            assert after != before
            command.downgrade(alembic_config(), "-1")
            assert schema_of(empty_url) == before
            command.upgrade(alembic_config(), step.revision)
            assert schema_of(empty_url) == after


def test_migrations_create_what_models_and_sql_files_describe(
    empty_url: URL, database_url: URL
) -> None:
    with an_app(empty_url) as app, app.app_context(), db.engine.begin() as connection:
        db.metadata.create_all(connection)
        connection.exec_driver_sql(RECEIVE_EVENT.read_text())

    assert schema_of(empty_url) == schema_of(database_url)


def test_concurrent_upgrade_waits_for_the_first(empty_url: URL, database_url: URL) -> None:
    waiting = """SELECT pid FROM pg_locks JOIN pg_database d ON d.oid = database
        WHERE datname = current_database() AND locktype = 'advisory' AND NOT granted"""
    with connected(empty_url) as sql, ThreadPoolExecutor(1) as pool:
        sql("SELECT pg_advisory_lock(4843190)")  # as migrations/env.py does
        second = pool.submit(migrate, empty_url)
        wait_until(lambda: sql(waiting))
        assert schema_of(empty_url) == []
        sql("SELECT pg_advisory_unlock(4843190)")
        second.result()

    migrate(empty_url)  # nothing is left to do
    assert schema_of(empty_url) == schema_of(database_url)
