"""The log has the cause of a database error, and never the personal data of a request."""

import json
from io import StringIO

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from chirpy.database.engine import db
from tests.support.assertions import assert_error
from tests.support.failures import PRIVATE, Breakable, outcome


def test_log_has_the_cause_of_a_bug_without_personal_data(
    breakable: Breakable, log: StringIO
) -> None:
    upgrade = breakable.upgrade()
    with breakable.unchanged():
        breakable.sql("ALTER TABLE webhook_events ADD CONSTRAINT bug CHECK (type = 'x')")
        try:
            response = breakable.deliver(upgrade)
        finally:
            breakable.sql("ALTER TABLE webhook_events DROP CONSTRAINT bug")

    assert assert_error(response, 500) == {"error": "Internal server error"}
    [failure, refusal] = [json.loads(line) for line in log.getvalue().splitlines()]
    cause = 'new row for relation "webhook_events" violates check constraint "bug"'
    assert cause in str(failure.values())
    assert "in receive" in failure["traceback"]
    assert failure["request_id"] == refusal["request_id"] == response.headers["X-Request-Id"]
    assert PRIVATE not in log.getvalue()
    assert outcome(breakable.deliver(upgrade)) == "applied"


def test_text_of_a_session_error_has_no_personal_data(breakable: Breakable) -> None:
    with breakable.app.app_context(), pytest.raises(DBAPIError) as caught:
        db.session.execute(text("SELECT 1 / length(:name) / 0"), {"name": PRIVATE})

    assert PRIVATE not in str(caught.value)
