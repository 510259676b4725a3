"""The schema itself: what a user of psql can insert, and what the constraints refuse."""

from typing import Any
from uuid import uuid4

import pytest
from flask.testing import FlaskClient
from psycopg2 import errors
from sqlalchemy import URL

from tests.support.databases import Sql, an_app, connected, migrate
from tests.support.factories import API_KEY, a_chirp, a_person, a_user, an_event

pytestmark = pytest.mark.usefixtures("emptied_database")


# Accepted

TOKEN_HASH = r"'\x" + "00" * 32 + "'"  # 32 bytes
ACCEPTED = {
    "users": "INSERT INTO users (email) VALUES ('walt@example.com')",
    "users, all columns": """INSERT INTO users (id, created_at, updated_at, email, hashed_password)
        VALUES (gen_random_uuid(), now(), now(), 'walt@example.com', 'unset')""",
    "chirps": "INSERT INTO chirps (body, user_id) VALUES ('Hello', '{user}')",
    "chirps, all columns": """INSERT INTO chirps (id, created_at, updated_at, body, user_id)
        VALUES (gen_random_uuid(), now(), now(), 'Hello', '{user}')""",
    "refresh_tokens": f"""INSERT INTO refresh_tokens (token_hash, user_id)
        VALUES ({TOKEN_HASH}, '{{user}}')""",
    "refresh_tokens, all columns": f"""INSERT INTO refresh_tokens
        (token_hash, created_at, updated_at, user_id, expires_at, revoked_at)
        VALUES ({TOKEN_HASH}, now(), now(), '{{user}}', now(), NULL)""",
    "memberships": """INSERT INTO memberships (user_id, is_chirpy_red, as_of, event_id)
        VALUES ('{user}', true, now(), 'by hand')""",
    "webhook_events": "INSERT INTO webhook_events (event_id, type) VALUES ('evt_1', 'by.hand')",
    "webhook_events of two providers": """INSERT INTO webhook_events (provider, event_id, type)
        VALUES ('polka', 'evt_1', 'x'), ('other', 'evt_1', 'x')""",
}


@pytest.mark.parametrize("insert", ACCEPTED.values(), ids=ACCEPTED)
def test_schema_accepts_insert(sql: Sql, insert: str) -> None:
    assert sql(f"{insert.format(user=a_user(sql))} RETURNING *")


def test_defaults_of_columns(sql: Sql) -> None:
    user = a_user(sql)
    sql(ACCEPTED["refresh_tokens"].format(user=user))
    sql(ACCEPTED["webhook_events"])

    rows = [
        sql("SELECT hashed_password, created_at = updated_at FROM users"),
        sql("SELECT expires_at - created_at = '60 days', revoked_at IS NULL FROM refresh_tokens"),
        sql("SELECT provider, outcome, deliveries FROM webhook_events"),
        sql("SELECT first_delivered_at = last_delivered_at FROM webhook_events"),
    ]

    assert rows == [[("unset", True)], [(True, True)], [("polka", "ignored", 1)], [(True,)]]


# Refused

CHIRPS = "chirps (body, user_id, idempotency_key, posted_hash)"
TOKENS = "refresh_tokens (token_hash, user_id)"
EVENTS = "webhook_events (event_id, type"
TWO_ROWS = "FROM generate_series(1, 2)"
REFUSED = [
    ("ck_users_email_length", "users (email) VALUES ('')"),
    ("ck_users_email_length", "users (email) VALUES (repeat('x', 255))"),
    ("uq_users_lower_email", "users (email) VALUES ('walt@example.com'), ('WALT@example.com')"),
    ("ck_chirps_body_length", "chirps (body, user_id) VALUES ('', '{user}')"),
    ("ck_chirps_body_length", "chirps (body, user_id) VALUES (repeat('🐦', 141), '{user}')"),
    ("fk_chirps_user_id_users", "chirps (body, user_id) VALUES ('Hello', gen_random_uuid())"),
    ("ck_chirps_idempotency_key_with_hash", f"{CHIRPS} VALUES ('Hi', '{{user}}', 'key', NULL)"),
    ("ck_chirps_idempotency_key_length", f"{CHIRPS} VALUES ('Hi', '{{user}}', '', 'h')"),
    (
        "ck_chirps_idempotency_key_length",
        f"{CHIRPS} SELECT 'Hi', '{{user}}', repeat('x', 256), 'h'",
    ),
    ("uq_chirps_user_id_idempotency_key", f"{CHIRPS} SELECT 'Hi', '{{user}}', 'k', 'h' {TWO_ROWS}"),
    ("ck_refresh_tokens_token_hash_length", f"{TOKENS} VALUES ('abc', '{{user}}')"),
    ("fk_refresh_tokens_user_id_users", f"{TOKENS} VALUES ({TOKEN_HASH}, gen_random_uuid())"),
    ("fk_memberships_user_id_users", "memberships VALUES (gen_random_uuid(), true, now(), 'e')"),
    ("pk_memberships", f"memberships SELECT '{{user}}', true, now(), 'e' {TWO_ROWS}"),
    ("uq_webhook_events_provider_event_id", f"{EVENTS}) VALUES ('evt_1', 'x'), ('evt_1', 'y')"),
    ("ck_webhook_events_event_id_length", f"{EVENTS}) VALUES ('', 'x')"),
    ("ck_webhook_events_type_length", f"{EVENTS}) VALUES ('e', '')"),
    ("ck_webhook_events_outcome", f"{EVENTS}, outcome) VALUES ('e', 'x', 'lost')"),
    ("ck_webhook_events_deliveries", f"{EVENTS}, deliveries) VALUES ('e', 'x', 0)"),
    (
        "ck_webhook_events_delivered_in_order",
        f"{EVENTS}, last_delivered_at) VALUES ('e', 'x', '2020-01-01')",
    ),
    ("ck_webhook_events_fingerprint_length", f"{EVENTS}, fingerprint) VALUES ('e', 'x', 'half')"),
]


@pytest.mark.parametrize(("constraint", "row"), REFUSED)
def test_constraint_refuses_row(sql: Sql, constraint: str, row: str) -> None:
    with pytest.raises(errors.IntegrityError) as caught:
        sql(f"INSERT INTO {row.format(user=a_user(sql))}")

    assert caught.value.diag.constraint_name == constraint


# Deleted


def test_deleting_a_user_deletes_their_rows_except_webhook_events(
    client: FlaskClient, sql: Sql
) -> None:
    deleted, other = a_person(client), a_person(client)
    for person in (deleted, other):
        a_chirp(client, person)
        client.post("/api/polka/webhooks", json=an_event(person.id), headers=API_KEY)

    sql("DELETE FROM users WHERE id = %s", deleted.id)

    for table in ("chirps", "refresh_tokens", "memberships"):
        assert sql(f"SELECT user_id FROM {table}") == [(other.id,)]
    assert sql("SELECT count(*) FROM webhook_events") == [(2,)]


# All tables


FORBIDDEN = {
    "time without zone": """SELECT table_name, column_name FROM information_schema.columns
        WHERE table_schema = 'public' AND data_type IN ('timestamp without time zone', 'date')""",
    "foreign key without index": """SELECT conname FROM pg_constraint c WHERE contype = 'f'
        AND NOT EXISTS
        (SELECT FROM pg_index WHERE indrelid = c.conrelid AND indkey[0] = c.conkey[1])""",
}


@pytest.mark.parametrize("query", FORBIDDEN.values(), ids=FORBIDDEN)
def test_schema_has_no(sql: Sql, query: str) -> None:
    assert sql(query) == []


RENAME_ALL = """
DO $$ DECLARE command text; BEGIN
    FOR command IN
        SELECT format('ALTER TABLE %%s RENAME CONSTRAINT %%I TO x%%s',
            conrelid::regclass, conname, oid)
        FROM pg_constraint
        WHERE connamespace = 'public'::regnamespace AND contype IN ('p', 'u', 'f')
        UNION ALL
        SELECT format('ALTER INDEX %%I RENAME TO x%%s', indexname, row_number() OVER ())
        FROM pg_indexes
        WHERE schemaname = 'public'
        AND NOT EXISTS (SELECT FROM pg_constraint WHERE conname = indexname)
    LOOP
        EXECUTE command;
    END LOOP;
END $$
"""


def test_renamed_constraints_change_no_status(empty_url: URL) -> None:
    migrate(empty_url)
    with an_app(empty_url) as app, connected(empty_url) as sql:
        sql(RENAME_ALL)
        client = app.test_client()
        person, other = a_person(client), a_person(client)
        taken = {"email": other.email, "password": "another one"}
        event, key = an_event(person.id, id="evt_1"), person.access | {"Idempotency-Key": "key"}

        def statuses(*requests: tuple[str, str, Any, dict[str, str]]) -> list[int]:
            return [
                client.open(path, method=method, json=json, headers=headers).status_code
                for method, path, json, headers in requests
            ]

        assert statuses(
            ("POST", "/api/users", taken, {}),
            ("PUT", "/api/users", taken, person.access),
            ("POST", "/api/chirps", {"body": "Hi"}, key),
            ("POST", "/api/chirps", {"body": "Hi"}, key),
            ("POST", "/api/chirps", {"body": "Ho"}, key),
            ("POST", "/api/polka/webhooks", event, API_KEY),
            ("POST", "/api/polka/webhooks", event, API_KEY),
            ("POST", "/api/polka/webhooks", an_event(uuid4()), API_KEY),
        ) == [409, 409, 201, 201, 422, 204, 204, 404]
        sql("DELETE FROM users WHERE id = %s", person.id)
        assert statuses(("POST", "/api/chirps", {"body": "Hi"}, person.access)) == [401]
