"""GET /api/chirps and GET /api/chirps/{id}: order, filters, pages."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from flask import Flask, jsonify
from flask.testing import FlaskClient
from hypothesis import given, strategies as st
from sqlalchemy import select, text

from chirpy.chirps.schemas import chirp_schema
from chirpy.chirps.timeline import CHIRP_JSON, CHIRPS
from chirpy.chirps.wording import MAX_CHIRP_LENGTH
from chirpy.database.engine import db
from chirpy.web import sql_json
from tests.support.assertions import NEXT_LINK, assert_compact_json, follow_links
from tests.support.chirps import insert_chirps
from tests.support.databases import Sql
from tests.support.factories import Person, a_chirp, a_user

DATETIME_RANGE = map(datetime.fromisoformat, ["0001-01-02", "9999-12-30"])  # in every time zone
NOON = "2026-01-31 12:00:00+00"


def listed_ids(client: FlaskClient, query: str = "") -> list[str]:
    return [chirp["id"] for chirp in client.get(f"/api/chirps{query}").get_json()]


def test_list_of_no_chirps_is_an_empty_array(client: FlaskClient) -> None:
    response = client.get("/api/chirps")

    assert response.status_code == 200
    assert response.content_type == "application/json"
    assert response.data == b"[]\n"
    assert "Link" not in response.headers


def test_list_and_show_return_posted_chirps_in_compact_json(
    client: FlaskClient, author: Person
) -> None:
    bodies = ["Ünï 🐦", "'; DROP TABLE chirps; -- %s %(body)s {0} \\", "three", "four"]
    chirps = [a_chirp(client, author, body) for body in bodies]

    response = client.get("/api/chirps")

    assert response.get_json() == chirps
    assert [chirp["body"] for chirp in chirps] == bodies
    assert_compact_json(response)
    for chirp in chirps:
        for chirp_id in (chirp["id"], chirp["id"].upper()):
            shown = client.get(f"/api/chirps/{chirp_id}")
            assert (shown.status_code, shown.get_json()) == (200, chirp)
            assert_compact_json(shown)


@pytest.mark.parametrize("query", ["", "?sort=asc", "?sort=", "?unknown=1", "?sort=desc"])
def test_list_of_chirps_is_sorted_by_created_at_oldest_first_unless_desc(
    client: FlaskClient, sql: Sql, query: str
) -> None:
    insert_chirps(sql, a_user(sql), "2026-03-01Z", "2024-01-01Z", "2025-02-01Z")

    years = [chirp["created_at"][:4] for chirp in client.get(f"/api/chirps{query}").get_json()]

    assert years == ["2024", "2025", "2026"][:: -1 if "desc" in query else 1]


@given(
    body=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1),
    created_at=st.datetimes(*DATETIME_RANGE, timezones=st.just(UTC)),
    zone=st.sampled_from(["UTC", "Asia/Tokyo", "America/St_Johns"]),
)
def test_chirp_json_of_postgres_equals_that_of_schema_in_any_time_zone(
    app: Flask, sql: Sql, body: str, created_at: datetime, zone: str
) -> None:
    author = a_user(sql)
    insert = "INSERT INTO chirps (user_id, body, created_at) VALUES (%s, %s, %s)"
    sql(insert, str(author), body[:MAX_CHIRP_LENGTH], created_at)

    with app.app_context():
        db.session.execute(text("SELECT set_config('timezone', :zone, true)"), {"zone": zone})
        of_author = select(CHIRP_JSON, *CHIRPS.c).where(CHIRPS.c.user_id == author)
        chirp = db.session.execute(of_author).one()
        assert sql_json.object_response(chirp.json).data == jsonify(chirp_schema.dump(chirp)).data


def test_list_of_chirps_by_author_shows_only_theirs(client: FlaskClient, sql: Sql) -> None:
    author = a_user(sql)
    own = insert_chirps(sql, author, *[NOON] * 2)
    insert_chirps(sql, a_user(sql), NOON)

    assert listed_ids(client, f"?author_id={author}") == own
    assert listed_ids(client, f"?author_id={str(author).upper()}") == own
    for author_without_chirps in (a_user(sql), uuid4()):
        response = client.get(f"/api/chirps?author_id={author_without_chirps}")
        assert (response.status_code, response.get_json()) == (200, [])


def test_page_of_chirps_has_100_chirps_unless_limit_is_given(client: FlaskClient, sql: Sql) -> None:
    ids = insert_chirps(sql, a_user(sql), *[NOON] * 101)

    assert listed_ids(client) == ids[:100]
    assert listed_ids(client, "?limit=1") == ids[:1]
    assert listed_ids(client, "?limit=101") == listed_ids(client, "?limit=1000") == ids


@pytest.mark.parametrize("limit", [1, 2, 3, 6, 7, 8])
@pytest.mark.parametrize("query", ["", "&sort=desc", "&author_id={}", "&author_id={}&sort=desc"])
def test_pages_of_chirps_together_are_the_whole_list_in_order(
    client: FlaskClient, sql: Sql, limit: int, query: str
) -> None:
    author = a_user(sql)
    times = [NOON, NOON, NOON, "2026-01-31 12:00:00.000001+00", "1815-12-10Z", "2999-01-01Z"]
    own = insert_chirps(sql, author, *times)
    everyones = insert_chirps(sql, a_user(sql), *times if "author_id" in query else [NOON])
    expected = own if "author_id" in query else everyones

    pages = list(follow_links(client, f"/api/chirps?limit={limit}{query.format(author)}", "id"))

    listed = [chirp_id for page in pages for chirp_id in page]
    assert listed == (expected[::-1] if "desc" in query else expected)
    assert {len(page) for page in pages[:-1]} <= {limit}
    assert 1 <= len(pages[-1]) <= limit


def test_next_page_of_chirps_is_unchanged_by_inserts_and_deletes(
    client: FlaskClient, sql: Sql
) -> None:
    author = a_user(sql)
    ids = insert_chirps(sql, author, "2024-01-01Z", "2025-01-01Z", "2026-01-01Z")
    pages = follow_links(client, "/api/chirps?limit=1", "id")

    seen = next(pages) + next(pages)
    sql("DELETE FROM chirps WHERE id = ANY(%s::uuid[])", seen)
    insert_chirps(sql, author, "2023-01-01Z")

    assert seen + next(pages) == ids


def test_next_link_of_chirps_keeps_the_query_and_is_relative(client: FlaskClient, sql: Sql) -> None:
    insert_chirps(sql, author := a_user(sql), *[NOON] * 3)

    response = client.get(f"/api/chirps?limit=2&sort=desc&author_id={author}&x=a%26b%3E")

    link = NEXT_LINK.fullmatch(response.headers["Link"])
    assert link
    assert f"limit=2&sort=desc&author_id={author}&x=a%26b%3E&after=" in link[1]
