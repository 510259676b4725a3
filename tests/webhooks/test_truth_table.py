"""The rule of the webhook: each row of the truth table in receive_event.sql, read from there."""

import re
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from flask.testing import FlaskClient

from chirpy.webhooks import receiving
from chirpy.webhooks.schemas import USER_EVENT_TYPES
from tests.support.databases import Sql
from tests.support.deliveries import PATH
from tests.support.factories import API_KEY, a_user, an_event

RULE = Path(receiving.__file__).with_name("receive_event.sql").read_text()
AS_OF = {"older": "2000-01-01", "later": "2100-01-01"}
KEYS = {"id": {"id": "evt_1"}, "made": {}}
TIMES = {"dated": {"timestamp": "2026-01-31T12:00:00Z"}, "undated": {}}
MEMBERSHIPS = [
    *("none", "older, same", "older, opposite", "later, same", "later, opposite", "no such user")
]


class Result(NamedTuple):
    """The columns of the table that tell what a delivery does, with the words that stand there."""

    result: str
    webhook_events: str
    memberships: str


class Case(NamedTuple):
    """A delivery, and what the database has before it."""

    type: str
    key: str
    time: str
    known: str
    membership: str

    @property
    def outcome_before(self) -> str:
        """The outcome of a known event before the delivery: one that no row of the table sets."""
        return "ignored" if self.type in USER_EVENT_TYPES else "stale"

    def is_in(self, row: list[str]) -> bool:
        """Return whether `row` describes this case."""
        kind = "acts" if self.type in USER_EVENT_TYPES else "other"
        return all(map(matches, row, self._replace(type=kind)))


def matches(cell: str, value: str) -> bool:
    """Return whether a cell names this value, or a part of it before or after a comma."""
    return cell == "any" or cell in {value, *value.split(", ")}


[HEADER, *ROWS] = [
    [cell.strip() for cell in line.split("|")]
    for line in re.findall(r"^--   (.+\|.+)$", RULE, re.MULTILINE)
]
TYPES = [*sorted(USER_EVENT_TYPES), "invoice.paid"]
CASES = [
    Case(*values)
    for values in product(TYPES, KEYS, TIMES, ["nothing", "this", "another"], MEMBERSHIPS)
    if values[1] == "id" or values[3] != "another"  # a made key has one meaning
]


def test_truth_table_has_the_columns_that_these_tests_read() -> None:
    assert [*Case._fields, *Result._fields] == HEADER


@pytest.mark.parametrize("row", ROWS, ids=" | ".join)
def test_truth_table_row_describes_a_case(row: list[str]) -> None:
    assert any(case.is_in(row) for case in CASES)


def test_types_that_must_name_a_user_are_the_types_with_an_effect_in_sql() -> None:
    assert set(re.findall(r"WHEN '(.+)' THEN (?:true|false)", RULE)) == USER_EVENT_TYPES


@pytest.mark.parametrize("case", CASES, ids=" | ".join)
def test_delivery_has_the_effect_in_the_truth_table(
    client: FlaskClient, sql: Sql, case: Case
) -> None:
    [row] = [Result(*row[len(case) :]) for row in ROWS if case.is_in(row)]
    event = an_event(a_user(sql), case.type, **KEYS[case.key], **TIMES[case.time])
    prepare(client, sql, case, event)
    events, memberships = table(sql, "webhook_events"), table(sql, "memberships")

    response = client.post(PATH, json=event, headers=API_KEY)

    assert response.headers.get("Webhook-Outcome", str(response.status_code)) == row.result
    if row.webhook_events == "as before":
        assert table(sql, "webhook_events") == events
    else:
        count, _, outcome = row.webhook_events.partition(", ")
        assert sql("SELECT deliveries, outcome FROM webhook_events") == [
            ({"new": 1, "+1": 2}[count], outcome or case.outcome_before)
        ]
    if row.memberships == "as before":
        assert table(sql, "memberships") == memberships
    else:
        assert sql(
            """SELECT is_chirpy_red, as_of = coalesce(
                occurred_at, greatest(last_delivered_at, %s::timestamptz + interval '1 microsecond')
            ) FROM memberships JOIN webhook_events USING (user_id, event_id)""",
            AS_OF.get(case.membership.split(", ")[0]),
        ) == [(case.type == "user.upgraded", True)]


def prepare(client: FlaskClient, sql: Sql, case: Case, event: dict[str, Any]) -> None:
    """Fill the database with the known event and the membership of a case."""
    if case.known != "nothing":
        known = event if case.known == "this" else event | {"event": "invoice.void"}
        client.post(PATH, json=known, headers=API_KEY)
        sql("UPDATE webhook_events SET outcome = %s", case.outcome_before)
        sql("DELETE FROM memberships")
    if case.membership == "no such user":
        sql("DELETE FROM users")
    elif case.membership != "none":
        age, colour = case.membership.split(", ")
        sql(
            "INSERT INTO memberships SELECT id, %s, %s, 'evt_0' FROM users",
            (case.type == "user.upgraded") == (colour == "same"),
            AS_OF[age],
        )


def table(sql: Sql, name: str) -> list[tuple[Any, ...]]:
    """Return the rows of a table. `xmin` also shows an UPDATE that sets the same values."""
    return sql(f"SELECT xmin::text, {name}::text FROM {name}")
