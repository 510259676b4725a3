"""The rule of the webhook on hash partitions, as docs/scaling.md describes it for shards."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import URL

from tests.support.databases import DELETE_ALL_ROWS, Sql, an_app, connected, migrate, new_database
from tests.support.deliveries import PATH
from tests.support.factories import API_KEY, a_user, an_event
from tests.support.server import PROJECT
from tests.webhooks.test_truth_table import (
    CASES,
    RULE,
    Case,
    test_delivery_has_the_effect_in_the_truth_table as check_delivery,
)

PAGE = (PROJECT / "docs/scaling.md").read_text()
TABLES = re.findall(r"^```sql\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
CHANGES = re.findall(r"^\| `(.+)` \| `(.+)` \|$", PAGE, re.MULTILINE)
TOUCHED = """SELECT relname FROM pg_stat_xact_user_tables WHERE relname ~ '_[0-9]$'
    AND seq_scan + coalesce(idx_scan, 0) + n_tup_ins + n_tup_upd > 0 ORDER BY 1"""


def sharded_rule() -> str:
    """Return the function of receive_event.sql with the changes of the page, on one line."""
    rule = " ".join(re.sub("--.*", "", RULE).split())
    for old, new in CHANGES:
        assert rule.count(old) == 1, old
        rule = rule.replace(old, new)
    return rule.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION")


@pytest.fixture(scope="module")
def shards(database_url: URL) -> Iterator[URL]:
    with new_database(database_url, "shards") as url:
        migrate(url)
        with connected(url) as sql:
            for statements in (*TABLES, sharded_rule()):
                sql(statements.replace("%", "%%"))
        yield url


@pytest.fixture(scope="module")
def sharded_app(shards: URL) -> Iterator[Flask]:
    with an_app(shards) as app:
        yield app


@pytest.fixture
def client(sharded_app: Flask) -> FlaskClient:
    return sharded_app.test_client()


@pytest.fixture
def sql(shards: URL) -> Iterator[Sql]:
    with connected(shards) as sql:
        yield sql
        sql(DELETE_ALL_ROWS)


@pytest.mark.parametrize("case", [c for c in CASES if c.known != "another"], ids=" | ".join)
def test_sharded_tables_follow_the_truth_table(client: FlaskClient, sql: Sql, case: Case) -> None:
    check_delivery(client, sql, case)


def test_sharded_tables_refuse_an_id_with_another_meaning_of_the_same_user_only(
    client: FlaskClient, sql: Sql
) -> None:
    def status(event: dict[str, Any]) -> int:
        return client.post(PATH, json=event, headers=API_KEY).status_code

    event = an_event(a_user(sql), id="evt_1")
    assert status(event) == 204
    assert status(event | {"event": "user.downgraded"}) == 409
    assert status(an_event(a_user(sql), id="evt_1")) == 204
    assert sql("SELECT is_chirpy_red FROM memberships") == [(True,), (True,)]


def test_delivery_touches_one_partition_of_each_sharded_table(sql: Sql) -> None:
    user_id = str(a_user(sql))
    for key in ("a", "b", "b", "c", "c", "d", "e", "f"):  # more than use a plan for one value
        deliver = "SELECT receive_event(NULL, %s, 'user.upgraded', %s, NULL, '', sha256(''))"
        touched = [name for [name] in sql(f"{deliver}; {TOUCHED}", key, user_id)]

        assert [name[:-2] for name in touched] == ["memberships", "webhook_events"]
        assert touched[0][-1] == touched[1][-1]


def test_conflicts_of_sharded_tables_use_immutable_functions_only(sql: Sql) -> None:
    parameters = re.findall(r"receive_event\( (.*?) \) RETURNS", sharded_rule())[0]
    variables = "key text, owner uuid, arrival timestamptz, makes_red boolean"
    inserts = re.findall(r"(INSERT INTO .*?;)", re.sub(" RETURNING [^;]*", "", sharded_rule()))
    body = f"BEGIN ATOMIC {' '.join(inserts)} END".replace("receive_event.", "parsed.")
    sql(f"CREATE FUNCTION parsed({parameters}, {variables}) RETURNS void {body}")
    [[tree]] = sql("SELECT prosqlbody::text FROM pg_proc WHERE proname = 'parsed'")
    conflicts = re.findall(":onConflict (.*?) :returningList", tree, re.DOTALL)
    functions = re.findall(r":(?:op)?funcid (\d+)", "".join(conflicts))
    volatile = "SELECT proname FROM pg_proc WHERE oid = ANY(%s::oid[]) AND provolatile <> 'i'"

    assert (len(conflicts), bool(functions)) == (2, True)
    assert sql(volatile, functions) == []
