"""A database that is not migrated, or belongs to another application, is named as such."""

import json
from io import StringIO
from uuid import UUID

import pytest
from alembic import command
from click import ClickException
from sqlalchemy import URL

from chirpy.server.migrations import MigrationFailed, migrate
from tests.support.assertions import all_rows, assert_error
from tests.support.commands import error_of
from tests.support.databases import alembic_config, an_app, connected
from tests.support.factories import API_KEY, an_event

# The tables of a server that a learner wrote, with two tools for migrations.
GOOSE = "CREATE TABLE users (id uuid, email text); CREATE TABLE goose_db_version (id int)"
ALEMBIC = "CREATE TABLE chirps (id int); CREATE TABLE alembic_version AS SELECT '1e5c' version_num"
NOT_MIGRATED = "The database is not migrated"
OTHER = "This database belongs to another application, whose tables have the same names"

each_other = pytest.mark.parametrize("tables", [GOOSE, ALEMBIC], ids=["goose", "alembic"])


def readiness(url: URL) -> dict[str, str]:
    """Return why an application on the database is not ready."""
    with an_app(url) as app:
        return assert_error(app.test_client().get("/api/readyz"), 503)


@pytest.mark.parametrize("version", [None, "0008"])
def test_database_without_all_migrations_is_not_ready(empty_url: URL, version: str | None) -> None:
    if version:
        with an_app(empty_url) as app, app.app_context():
            command.upgrade(alembic_config(), version)

    assert readiness(empty_url) == {
        "error": NOT_MIGRATED,
        "hint": "Next: flask db upgrade (`make run` does it too)",
    }


def test_database_of_a_newer_version_is_ready(empty_url: URL) -> None:
    with connected(empty_url) as sql, an_app(empty_url) as app:
        sql("CREATE TABLE alembic_version AS SELECT '9999' AS version_num")

        assert app.test_client().get("/api/readyz").status_code == 200


@each_other
def test_database_of_another_application_is_not_ready(empty_url: URL, tables: str) -> None:
    with connected(empty_url) as sql:
        sql(tables)

    answer = readiness(empty_url)
    assert answer["error"] == OTHER
    assert "create an empty one (createdb " in answer["hint"]


@each_other
def test_database_of_another_application_is_not_migrated(empty_url: URL, tables: str) -> None:
    with connected(empty_url) as sql, an_app(empty_url) as app:
        sql(tables)
        before = all_rows(sql)
        with pytest.raises(MigrationFailed, match=OTHER):
            migrate(app)
        with app.app_context(), pytest.raises(ClickException, match=OTHER):
            command.upgrade(alembic_config(), "head")

        assert all_rows(sql) == before


@pytest.mark.parametrize("command", ["webhooks list", "webhooks show id", "polka storm"])
@pytest.mark.parametrize("tables", ["", GOOSE], ids=["empty", "other"])
def test_command_on_unusable_tables_is_one_message(
    empty_url: URL, tables: str, command: str
) -> None:
    with connected(empty_url) as sql, an_app(empty_url) as app:
        if tables:
            sql(tables)

        message = error_of(app, *command.split())

    assert message.startswith(f"Error: {OTHER if tables else NOT_MIGRATED}.\nNext: ")


@pytest.mark.parametrize("path", ["/api/users", "/api/polka/webhooks"])
def test_request_on_a_database_without_tables_is_503_and_logs_the_command(
    empty_url: URL, path: str, log: StringIO
) -> None:
    user, event = {"email": "a@b.example", "password": "04234"}, an_event(UUID(int=0))
    with an_app(empty_url) as app:
        response = app.test_client().post(path, json=user | event, headers=API_KEY)

    answer = assert_error(response, 503)
    assert answer["error"] == NOT_MIGRATED
    assert "flask db upgrade" in answer["hint"]
    logged = [json.loads(line) for line in log.getvalue().splitlines()]
    assert logged[0]["next"].startswith("flask db upgrade; or correct the search_path")
