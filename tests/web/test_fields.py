"""What the clumsy may rely on: to be told which field is wrong, and to be taken as they meant."""

import json
from typing import Any

import pytest
from flask.testing import FlaskClient

from chirpy.settings import Settings
from tests.support.assertions import assert_error, database_unchanged
from tests.support.databases import Sql
from tests.support.factories import a_user
from tests.support.json_routes import (
    CREDENTIALS,
    JSON_ROUTES,
    AuthorizedClient,
    JsonRoute,
    access_header,
    every_field,
    every_json_route,
)


@pytest.fixture
def authorized(client: FlaskClient, sql: Sql, settings: Settings) -> AuthorizedClient:
    return AuthorizedClient(client, access_header(a_user(sql), settings.jwt_secret))


# What is wrong, and told

NO_OBJECTS: list[Any] = [None, True, 5, 0.5, "text", [], [{"body": "Hello"}]]


@every_json_route
@pytest.mark.parametrize("body", NO_OBJECTS, ids=json.dumps)
def test_what_is_no_object_is_refused(
    authorized: AuthorizedClient, sql: Sql, route: JsonRoute, body: Any
) -> None:
    with database_unchanged(sql):
        answer = authorized.send(route, data=json.dumps(body))

    said = assert_error(answer, 400)
    assert list(said["fields"]) == ["The body"]


WRONG: dict[str, Any] = {
    "null": None,
    "true": True,
    "a number": 5,
    "a list": ["walt@example.com"],
    "an object": {"$ne": ""},
    "empty": "",
    "NUL": "walt@example.com\0",
    "a lone high surrogate": "walt@example.com\ud83d",
    "a lone low surrogate": "\udc26walt@example.com",
    "surrogates the wrong way round": "\udc26\ud83d",
    "60,000 characters": "w" * 60_000,
}


@every_field
@pytest.mark.parametrize("value", WRONG.values(), ids=WRONG)
def test_a_field_that_cannot_be_right_is_refused_by_name(
    authorized: AuthorizedClient, sql: Sql, route: JsonRoute, field: str, value: Any
) -> None:
    with database_unchanged(sql):
        answer = authorized.send(route, data=json.dumps(route.valid | {field: value}))

    said = assert_error(answer, 400)
    assert list(said["fields"]) == [field]
    assert field in said["error"] or said["error"] == "Chirp is too long"


@every_field
def test_a_field_that_is_missing_is_named(
    authorized: AuthorizedClient, sql: Sql, route: JsonRoute, field: str
) -> None:
    body = {name: value for name, value in route.valid.items() if name != field}

    with database_unchanged(sql):
        answer = authorized.send(route, json=body)

    said = assert_error(answer, 400)
    assert said["fields"] == {field: "is missing"}


@pytest.mark.parametrize("route", JSON_ROUTES[:3], ids=str)
def test_all_that_is_wrong_is_named_at_once(
    authorized: AuthorizedClient, sql: Sql, route: JsonRoute
) -> None:
    with database_unchanged(sql):
        answer = authorized.send(route, json={"password": 5})

    said = assert_error(answer, 400)
    assert said["fields"] == {"email": "is missing", "password": "must be a string"}


# What is odd, and fine

ODD: dict[str, dict[str, Any]] = {
    "no type": {},
    "a form's type": {"content_type": "application/x-www-form-urlencoded"},
    "another type": {"content_type": "text/plain; charset=utf-16"},
    "a malformed type": {"content_type": ";;;"},
}


@every_json_route
@pytest.mark.parametrize("request_", ODD.values(), ids=ODD)
def test_the_body_is_json_whatever_its_type_says(
    authorized: AuthorizedClient, route: JsonRoute, request_: dict[str, Any]
) -> None:
    answer = authorized.send(route, data=json.dumps(route.valid), **request_)

    assert answer.status_code == route.status


@every_json_route
def test_keys_that_nobody_asked_for_are_ignored(
    authorized: AuthorizedClient, route: JsonRoute
) -> None:
    more = {"": 1, "id": "evt_1", "is_chirpy_red": True, "\ud800": "\0", "__proto__": {"x": [[]]}}

    answer = authorized.send(route, data=json.dumps(more | route.valid))

    assert answer.status_code == route.status


def test_nobody_makes_themselves_chirpy_red(client: FlaskClient, sql: Sql) -> None:
    answer = client.post("/api/users", json=CREDENTIALS | {"is_chirpy_red": True})

    assert answer.get_json()["is_chirpy_red"] is False
    assert sql("SELECT count(*) FROM memberships") == [(0,)]


def test_sql_in_a_field_is_text_like_any_other(
    client: FlaskClient, authorized: AuthorizedClient
) -> None:
    said = "'; DROP TABLE chirps; -- %s %(body)s {0} \\"

    answer = client.post("/api/chirps", json={"body": said}, headers=authorized.access)

    assert answer.get_json()["body"] == said
    assert client.get("/api/chirps").get_json() == [answer.get_json()]
