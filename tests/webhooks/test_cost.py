"""The cost of a delivery: one statement that commits itself."""

from uuid import uuid4

from sqlalchemy import URL

from tests.support.databases import Sql, an_app, use_cursor_class
from tests.support.deliveries import PATH
from tests.support.factories import API_KEY, a_user, an_event
from tests.support.statements import RecordingCursor, recorded_statements


def test_each_delivery_costs_one_statement_which_is_the_same_object(
    database_url: URL, sql: Sql
) -> None:
    upgrade = an_event(a_user(sql), id="evt_1", timestamp="2026-01-31T12:00:00Z")
    downgrade = an_event(a_user(sql), "user.downgraded")
    deliveries = [
        ("applied", upgrade),
        ("duplicate", upgrade),
        ("applied", downgrade),
        ("duplicate", downgrade),
        ("ignored", {"event": "invoice.paid"}),
        ("404", an_event(uuid4())),
        ("409", upgrade | {"event": "user.downgraded"}),
    ]

    queries = []
    with an_app(database_url) as app:
        use_cursor_class(app, RecordingCursor)
        client = app.test_client()
        client.post(PATH, json={"event": "connect"}, headers=API_KEY)
        for expected, event in deliveries:
            with recorded_statements(app) as statements:
                response = client.post(PATH, json=event, headers=API_KEY)
            assert response.headers.get("Webhook-Outcome", str(response.status_code)) == expected
            [(query, autocommit)] = statements
            assert autocommit, expected
            queries.append(query)

    assert all(query is queries[0] for query in queries)
