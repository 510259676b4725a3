"""Requests and rows of the chirp tests."""

from uuid import UUID

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.support.databases import Sql
from tests.support.factories import Person

CHIRP_KEYS = ["id", "created_at", "updated_at", "body", "user_id"]


def post_chirp(
    client: FlaskClient, author: Person, body: str = "Hello", key: str | None = None
) -> TestResponse:
    """Send POST /api/chirps, with an Idempotency-Key if one is given."""
    headers = author.access if key is None else author.access | {"Idempotency-Key": key}
    return client.post("/api/chirps", json={"body": body}, headers=headers)


def chirp_bodies(sql: Sql) -> list[str]:
    """Return the bodies in the database, in the order they were posted."""
    return [body for [body] in sql("SELECT body FROM chirps ORDER BY created_at")]


def insert_chirps(sql: Sql, author: UUID, *created_at: str) -> list[str]:
    """Insert a chirp for each time. Return the ids of all chirps in the order of the list."""
    columns = "INSERT INTO chirps (created_at, body, user_id)"
    sql(f"{columns} SELECT unnest(%s::timestamptz[]), 'Hi', %s", [*created_at], str(author))
    return [str(id_) for [id_] in sql("SELECT id FROM chirps ORDER BY created_at, id")]
