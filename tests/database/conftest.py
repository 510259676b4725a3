"""Databases of their own: without tables, and for the tests that make one fail."""

from collections.abc import Iterator

import pytest
from sqlalchemy import URL

from chirpy.database.engine import db
from tests.support.databases import DELETE_ALL_ROWS, an_app, connected, migrate, new_database
from tests.support.failures import Breakable


@pytest.fixture
def empty_url(database_url: URL) -> Iterator[URL]:
    """Provide a database without tables, for one test."""
    with new_database(database_url, "empty") as url:
        yield url


@pytest.fixture(scope="session")
def session_breakable(database_url: URL) -> Iterator[Breakable]:
    with new_database(database_url, "breakable") as url:
        migrate(url)
        with an_app(url) as app, connected(url) as sql:
            yield Breakable(url, sql, app)


@pytest.fixture
def breakable(session_breakable: Breakable) -> Iterator[Breakable]:
    """Provide a database whose application has no connection yet."""
    yield session_breakable
    session_breakable.stop_failing()
    session_breakable.sql(DELETE_ALL_ROWS)
    with session_breakable.app.app_context():
        db.engine.dispose()
