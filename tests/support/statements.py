"""Record the statements that an application sends to Postgres."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

from flask import Flask
from psycopg2 import extensions
from sqlalchemy import event

from chirpy.database.engine import db

Statement = tuple[object, bool]  # the query, and whether it commits itself


class RecordingCursor(extensions.cursor):
    """A cursor that records each statement. Give it to `use_cursor_class`."""

    statements: ClassVar[list[Statement]] = []

    def execute(self, query: Any, vars: Any = None) -> None:  # noqa: A002 - psycopg2's name
        """Run a statement, and record it."""
        self.statements.append((query, self.connection.autocommit))
        super().execute(query, vars)


@contextmanager
def recorded_statements(app: Flask) -> Iterator[list[Statement]]:
    """Yield the statements that `app` sends in the block. Assert that it uses no pool."""
    checkouts: list[object] = []

    def record_checkout(connection: object, *_: object) -> None:
        checkouts.append(connection)

    with app.app_context():
        engine = db.engine
    RecordingCursor.statements.clear()
    event.listen(engine, "checkout", record_checkout)
    try:
        yield RecordingCursor.statements
    finally:
        event.remove(engine, "checkout", record_checkout)
    assert checkouts == []
