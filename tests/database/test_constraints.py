"""What people with psql may rely on: what they may insert, and what the schema refuses."""

import pytest
from flask.testing import FlaskClient
from psycopg2 import errors

from tests.support.databases import Sql
from tests.support.factories import API_KEY, a_chirp, a_person, a_user

pytestmark = pytest.mark.usefixtures("emptied_database")


# What may be inserted

NO_TOKEN = r"'\x" + "00" * 32 + "'"  # 32 bytes
PLAIN = {
    "users": "INSERT INTO users (email) VALUES ('walt@example.com')",
    "users, all columns": """INSERT INTO users (id, created_at, updated_at, email, hashed_password)
        VALUES (gen_random_uuid(), now(), now(), 'walt@example.com', 'unset')""",
    "chirps": "INSERT INTO chirps (body, user_id) VALUES ('Hello', '{user}')",
    "chirps, all columns": """INSERT INTO chirps (id, created_at, updated_at, body, user_id)
        VALUES (gen_random_uuid(), now(), now(), 'Hello', '{user}')""",
    "refresh_tokens": f"""INSERT INTO refresh_tokens (token_hash, user_id)
        VALUES ({NO_TOKEN}, '{{user}}')""",
    "refresh_tokens, all columns": f"""INSERT INTO refresh_tokens
        (token_hash, created_at, updated_at, user_id, expires_at, revoked_at)
        VALUES ({NO_TOKEN}, now(), now(), '{{user}}', now(), NULL)""",
    "memberships": """INSERT INTO memberships (user_id, is_chirpy_red, as_of, event_id)
        VALUES ('{user}', true, now(), 'by hand')""",
    "webhook_events": "INSERT INTO webhook_events (event_id, type) VALUES ('evt_1', 'by.hand')",
}


@pytest.mark.parametrize("insert", PLAIN.values(), ids=PLAIN)
def test_a_plain_insert_needs_no_more_than_there_is_to_say(sql: Sql, insert: str) -> None:
    assert len(sql(f"{insert.format(user=a_user(sql))} RETURNING *")) == 1


def test_what_nobody_said_has_a_sensible_value(sql: Sql) -> None:
    user = a_user(sql)
    sql(PLAIN["refresh_tokens"].format(user=user))
    sql(PLAIN["webhook_events"])

    told = [
        sql("SELECT hashed_password, created_at = updated_at FROM users"),
        sql("SELECT expires_at - created_at = '60 days', revoked_at IS NULL FROM refresh_tokens"),
        sql("SELECT provider, outcome, deliveries FROM webhook_events"),
        sql("SELECT first_delivered_at = last_delivered_at FROM webhook_events"),
    ]

    assert told == [[("unset", True)], [(True, True)], [("polka", "ignored", 1)], [(True,)]]


# What is refused

REFUSED: dict[str, tuple[str, str]] = {
    "an empty email": ("ck_users_email_length", "INSERT INTO users (email) VALUES ('')"),
    "an email of 255 characters": (
        "ck_users_email_length",
        "INSERT INTO users (email) VALUES (repeat('x', 255))",
    ),
    "an email twice": (
        "uq_users_lower_email",
        "INSERT INTO users (email) VALUES ('walt@example.com'), ('WALT@example.com')",
    ),
    "an empty chirp": (
        "ck_chirps_body_length",
        "INSERT INTO chirps (body, user_id) VALUES ('', '{user}')",
    ),
    "a chirp of 141 characters": (
        "ck_chirps_body_length",
        "INSERT INTO chirps (body, user_id) VALUES (repeat('🐦', 141), '{user}')",
    ),
    "a chirp of nobody's": (
        "fk_chirps_user_id_users",
        "INSERT INTO chirps (body, user_id) VALUES ('Hello', gen_random_uuid())",
    ),
    "a key without a hash": (
        "ck_chirps_idempotency_key_with_hash",
        "INSERT INTO chirps (body, user_id, idempotency_key) VALUES ('Hello', '{user}', 'key')",
    ),
    "an empty key": (
        "ck_chirps_idempotency_key_length",
        """INSERT INTO chirps (body, user_id, idempotency_key, posted_hash)
        VALUES ('Hello', '{user}', '', 'hash')""",
    ),
    "a key of 256 characters": (
        "ck_chirps_idempotency_key_length",
        """INSERT INTO chirps (body, user_id, idempotency_key, posted_hash)
        VALUES ('Hello', '{user}', repeat('x', 256), 'hash')""",
    ),
    "a key twice": (
        "uq_chirps_user_id_idempotency_key",
        """INSERT INTO chirps (body, user_id, idempotency_key, posted_hash)
        SELECT 'Hello', '{user}', 'key', 'hash' FROM generate_series(1, 2)""",
    ),
    "a token instead of its hash": (
        "ck_refresh_tokens_token_hash_length",
        "INSERT INTO refresh_tokens (token_hash, user_id) VALUES ('abc', '{user}')",
    ),
    "a session of nobody's": (
        "fk_refresh_tokens_user_id_users",
        f"INSERT INTO refresh_tokens (token_hash, user_id) VALUES ({NO_TOKEN}, gen_random_uuid())",
    ),
    "a membership of nobody's": (
        "fk_memberships_user_id_users",
        "INSERT INTO memberships VALUES (gen_random_uuid(), true, now(), 'evt_1')",
    ),
    "two memberships": (
        "pk_memberships",
        "INSERT INTO memberships SELECT '{user}', true, now(), 'x' FROM generate_series(1, 2)",
    ),
    "an event twice": (
        "uq_webhook_events_provider_event_id",
        "INSERT INTO webhook_events (event_id, type) VALUES ('evt_1', 'x'), ('evt_1', 'y')",
    ),
    "an event without an id": (
        "ck_webhook_events_event_id_length",
        "INSERT INTO webhook_events (event_id, type) VALUES ('', 'x')",
    ),
    "an event without a type": (
        "ck_webhook_events_type_length",
        "INSERT INTO webhook_events (event_id, type) VALUES ('evt_1', '')",
    ),
    "an outcome that is none": (
        "ck_webhook_events_outcome",
        "INSERT INTO webhook_events (event_id, type, outcome) VALUES ('evt_1', 'x', 'lost')",
    ),
    "an event that was never delivered": (
        "ck_webhook_events_deliveries",
        "INSERT INTO webhook_events (event_id, type, deliveries) VALUES ('evt_1', 'x', 0)",
    ),
    "a last delivery before the first": (
        "ck_webhook_events_delivered_in_order",
        """INSERT INTO webhook_events (event_id, type, last_delivered_at)
        VALUES ('evt_1', 'x', now() - interval '1 second')""",
    ),
    "half a fingerprint": (
        "ck_webhook_events_fingerprint_length",
        "INSERT INTO webhook_events (event_id, type, fingerprint) VALUES ('evt_1', 'x', 'half')",
    ),
}


@pytest.mark.parametrize(("constraint", "insert"), REFUSED.values(), ids=REFUSED)
def test_the_schema_itself_refuses(sql: Sql, constraint: str, insert: str) -> None:
    with pytest.raises(errors.IntegrityError) as refused:
        sql(insert.format(user=a_user(sql)))

    assert refused.value.diag.constraint_name == constraint


def test_an_event_id_may_come_again_from_another_provider(sql: Sql) -> None:
    sql(PLAIN["webhook_events"])

    sql("INSERT INTO webhook_events (provider, event_id, type) VALUES ('other', 'evt_1', 'x')")

    assert sql("SELECT count(*) FROM webhook_events") == [(2,)]


# What goes along


def test_with_a_user_goes_all_that_is_theirs_and_nothing_else(
    client: FlaskClient, sql: Sql
) -> None:
    gone, stays = a_person(client), a_person(client)
    for person in (gone, stays):
        a_chirp(client, person)
        upgrade = {"event": "user.upgraded", "data": {"user_id": person.id}}
        client.post("/api/polka/webhooks", json=upgrade, headers=API_KEY)

    sql("DELETE FROM users WHERE id = %s", gone.id)

    for table in ("chirps", "refresh_tokens", "memberships"):
        assert sql(f"SELECT user_id FROM {table}") == [(stays.id,)]
    assert sql("SELECT count(*) FROM webhook_events") == [(2,)]
