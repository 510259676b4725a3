"""What readers may rely on: the order of chirps, one author's, one page after the other."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

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
from tests.support.databases import Sql
from tests.support.factories import a_chirp, a_person, a_user

CHIRP = ["id", "created_at", "updated_at", "body", "user_id"]
LINK = re.compile(r'<(/api/chirps\?[!-;=?-~]*)>; rel="next"')
ALL_OF_TIME = map(datetime.fromisoformat, ["0001-01-02", "9999-12-30"])  # in every zone
NOON = "2026-01-31 12:00:00+00"


def insert(sql: Sql, author: UUID, *moments: str) -> list[str]:
    """A chirp at each moment, by plain SQL; their ids in the order of the list."""
    one = "INSERT INTO chirps (created_at, body, user_id) VALUES (%s, 'Hi', %s)"
    for moment in moments:
        sql(one, moment, str(author))
    return ids_by_sql(sql)


def ids_by_sql(sql: Sql) -> list[str]:
    return [str(it) for [it] in sql("SELECT id FROM chirps ORDER BY created_at, id")]


def ids(client: FlaskClient, query: str = "") -> list[str]:
    return [chirp["id"] for chirp in client.get(f"/api/chirps{query}").get_json()]


def pages(client: FlaskClient, query: str) -> Iterator[list[str]]:
    """The ids on each page, following the links as a client does."""
    path = f"/api/chirps{query}"
    while path:
        answer = client.get(path)
        yield [chirp["id"] for chirp in answer.get_json()]
        link = LINK.fullmatch(answer.headers.get("Link", ""))
        path = link[1] if link else ""


# All of them


def test_without_chirps_the_list_is_empty(client: FlaskClient) -> None:
    answer = client.get("/api/chirps")

    assert answer.status_code == 200
    assert answer.content_type == "application/json"
    assert answer.data == b"[]\n"
    assert "Link" not in answer.headers


def test_the_list_shows_what_was_posted(client: FlaskClient) -> None:
    chirp = a_chirp(client, a_person(client), "Ünï 🐦")

    answer = client.get("/api/chirps")

    assert answer.get_json() == [chirp]
    assert list(answer.get_json()[0]) == CHIRP
    assert b'": ' not in answer.data
    assert b'", ' not in answer.data


def test_four_chirps_in_a_row_come_back_in_the_order_they_were_posted(client: FlaskClient) -> None:
    author = a_person(client)
    said = [a_chirp(client, author, body)["body"] for body in ("one", "two", "three", "four")]

    shown = [chirp["body"] for chirp in client.get("/api/chirps").get_json()]

    assert shown == said


@pytest.mark.parametrize("query", ["", "?sort=asc", "?sort=", "?sort=up", "?unknown=1"])
def test_the_oldest_comes_first_unless_asked_otherwise(
    client: FlaskClient, sql: Sql, query: str
) -> None:
    insert(sql, a_user(sql), "2026-03-01Z", "2024-01-01Z", "2025-02-01Z")

    moments = [chirp["created_at"][:4] for chirp in client.get(f"/api/chirps{query}").get_json()]

    assert moments == ["2024", "2025", "2026"]


def test_the_newest_comes_first_when_asked_to(client: FlaskClient, sql: Sql) -> None:
    in_order = insert(sql, a_user(sql), "2026-03-01Z", "2024-01-01Z", "2025-02-01Z")

    assert ids(client, "?sort=desc") == in_order[::-1]


def test_of_chirps_at_the_same_moment_the_smaller_id_comes_first(
    client: FlaskClient, sql: Sql
) -> None:
    insert(sql, a_user(sql), *[NOON] * 8)

    ascending, descending = ids(client), ids(client, "?sort=desc")

    assert ascending == sorted(ascending)
    assert descending == ascending[::-1]


def test_times_are_told_in_utc_whatever_zone_they_were_written_in(
    client: FlaskClient, sql: Sql
) -> None:
    insert(sql, a_user(sql), "2026-01-31 12:00:00+14")

    [chirp] = client.get("/api/chirps").get_json()

    assert chirp["created_at"] == "2026-01-30T22:00:00.000000Z"


@given(
    body=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1),
    created_at=st.datetimes(*ALL_OF_TIME, timezones=st.just(UTC)),
    zone=st.sampled_from(["UTC", "Asia/Tokyo", "America/St_Johns"]),
)
def test_what_postgres_writes_is_what_the_schema_says(
    app: Flask, sql: Sql, body: str, created_at: datetime, zone: str
) -> None:
    """To the letter, whatever a chirp says and whatever zone the database tells times in."""
    body = body[:MAX_CHIRP_LENGTH]
    author = a_user(sql)
    said = "INSERT INTO chirps (user_id, body, created_at) VALUES (%s, %s, %s)"
    sql(said, str(author), body, created_at)

    with app.app_context():
        db.session.execute(text("SELECT set_config('timezone', :zone, true)"), {"zone": zone})
        of_author = select(CHIRP_JSON, *CHIRPS.c).where(CHIRPS.c.user_id == author)
        chirp = db.session.execute(of_author).one()
        assert sql_json.object_response(chirp.json).data == jsonify(chirp_schema.dump(chirp)).data


# One author's


@pytest.mark.parametrize("spell", [str, lambda it: str(it).upper()], ids=["as shown", "upper case"])
def test_one_authors_chirps_can_be_asked_for(client: FlaskClient, sql: Sql, spell: Any) -> None:
    author = a_user(sql)
    own = insert(sql, author, *[NOON] * 2)
    insert(sql, a_user(sql), NOON)

    assert ids(client, f"?author_id={spell(author)}") == own
    assert ids(client, f"?sort=desc&author_id={spell(author)}") == own[::-1]


def test_an_author_who_said_nothing_or_is_nobody_has_an_empty_list(
    client: FlaskClient, sql: Sql
) -> None:
    insert(sql, a_user(sql), NOON)

    for author in (a_user(sql), uuid4()):
        answer = client.get(f"/api/chirps?author_id={author}")
        assert (answer.status_code, answer.get_json()) == (200, [])


# Page by page


def test_a_page_has_100_chirps_unless_a_limit_is_given(client: FlaskClient, sql: Sql) -> None:
    in_order = insert(sql, a_user(sql), *[NOON] * 101)

    assert ids(client) == in_order[:100]
    assert ids(client, "?limit=1") == in_order[:1]
    assert ids(client, "?limit=101") == ids(client, "?limit=1000") == in_order


@pytest.mark.parametrize("limit", [1, 2, 3, 6, 7, 8])
@pytest.mark.parametrize("query", ["", "&sort=desc", "&author_id={}", "&author_id={}&sort=desc"])
def test_page_after_page_nothing_is_lost_and_nothing_repeated(
    client: FlaskClient, sql: Sql, limit: int, query: str
) -> None:
    author, somebody = a_user(sql), a_user(sql)
    moments = [NOON, NOON, NOON, "2026-01-31 12:00:00.000001+00", "1815-12-10Z", "2999-01-01Z"]
    insert(sql, author, *moments)
    insert(sql, somebody, *([NOON] if "author" not in query else moments))
    by = f"AND user_id = '{author}'" if "author" in query else ""
    wanted = sql(f"SELECT id::text FROM chirps WHERE true {by} ORDER BY created_at, id")
    in_order = [it for [it] in wanted][:: -1 if "desc" in query else 1]

    seen = list(pages(client, f"?limit={limit}{query.format(author)}"))

    assert [it for page in seen for it in page] == in_order
    assert {len(page) for page in seen[:-1]} <= {limit}
    assert 1 <= len(seen[-1]) <= limit


def test_a_page_that_is_exactly_full_links_to_no_empty_one(client: FlaskClient, sql: Sql) -> None:
    insert(sql, a_user(sql), *[NOON] * 4)

    assert [len(page) for page in pages(client, "?limit=2")] == [2, 2]


def test_what_is_posted_or_deleted_meanwhile_moves_nothing(client: FlaskClient, sql: Sql) -> None:
    author = a_user(sql)
    in_order = insert(sql, author, "2024-01-01Z", "2025-01-01Z", "2026-01-01Z")
    following = pages(client, "?limit=1")

    seen = next(following) + next(following)
    sql("DELETE FROM chirps WHERE id = ANY(%s::uuid[])", seen)
    insert(sql, author, "2023-01-01Z")

    assert seen + next(following) == in_order


def test_the_link_keeps_what_else_was_asked_and_says_nothing_of_the_host(
    client: FlaskClient, sql: Sql
) -> None:
    insert(sql, author := a_user(sql), *[NOON] * 3)

    answer = client.get(f"/api/chirps?limit=2&sort=desc&author_id={author}&x=a%26b%3E")

    link = LINK.fullmatch(answer.headers["Link"])
    assert link
    assert f"limit=2&sort=desc&author_id={author}&x=a%26b%3E&after=" in link[1]


# One chirp


def test_one_chirp_can_be_read(client: FlaskClient) -> None:
    chirp = a_chirp(client, a_person(client))

    answer = client.get(f"/api/chirps/{chirp['id']}")

    assert answer.status_code == 200
    assert answer.content_type == "application/json"
    assert answer.get_json() == chirp
    assert client.get(f"/api/chirps/{chirp['id'].upper()}").get_json() == chirp


def test_a_chirp_that_is_not_there_is_not_found(client: FlaskClient) -> None:
    answer = client.get(f"/api/chirps/{uuid4()}")

    assert answer.status_code == 404
    assert answer.get_json()["error"] == "There is no chirp with this id"


# Rows of others


def test_what_others_insert_by_plain_sql_shows_up(client: FlaskClient, sql: Sql) -> None:
    insert_user = """INSERT INTO users (id, created_at, updated_at, email, hashed_password)
        VALUES (gen_random_uuid(), now(), now(), 'psql@example.com', 'unset') RETURNING id"""
    insert_chirp = """INSERT INTO chirps (id, created_at, updated_at, body, user_id)
        VALUES (gen_random_uuid(), now(), now(), 'By hand', %s) RETURNING id"""
    [[user_id]] = sql(insert_user)
    [[chirp_id]] = sql(insert_chirp, user_id)

    [chirp] = client.get("/api/chirps").get_json()

    assert (chirp["id"], chirp["user_id"], chirp["body"]) == (chirp_id, user_id, "By hand")
    assert client.get(f"/api/chirps/{chirp_id}").get_json() == chirp
