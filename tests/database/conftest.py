"""A database of their own for the tests that make it fail."""

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import psycopg2
import pytest
from sqlalchemy import URL

from chirpy.database.engine import db
from tests.support.databases import (
    DELETE_ALL_ROWS,
    an_app,
    create_database,
    migrate,
    sql_on,
    url_text,
)
from tests.support.failures import Breakable


@pytest.fixture(scope="session")
def session_breakable(database_url: URL, connection: Any) -> Iterator[Breakable]:
    url = database_url.set(database=f"{database_url.database}_breakable")
    create_database(url)
    migrate(url)
    with an_app(url) as app, closing(psycopg2.connect(url_text(url))) as own_connection:
        own_connection.autocommit = True
        yield Breakable(url, sql_on(own_connection), app)
    sql_on(connection)(f'DROP DATABASE "{url.database}" WITH (FORCE)')


@pytest.fixture
def breakable(session_breakable: Breakable) -> Iterator[Breakable]:
    """Provide a database whose application has no connection yet."""
    yield session_breakable
    session_breakable.stop_failing()
    session_breakable.sql(DELETE_ALL_ROWS)
    with session_breakable.app.app_context():
        db.engine.dispose()
