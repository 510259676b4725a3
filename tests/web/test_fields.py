"""Invalid fields are a 400 that names each of them; unknown fields and types are ignored."""

import json
from typing import Any

import pytest

from tests.support.assertions import assert_error, database_unchanged
from tests.support.databases import Sql
from tests.support.json_routes import (
    JSON_ROUTES,
    AuthorizedClient,
    JsonRoute,
    every_field,
    every_json_route,
)


@every_json_route
@pytest.mark.parametrize(
    "body", [None, True, 5, 0.5, "text", [], [{"body": "Hello"}]], ids=json.dumps
)
def test_body_that_is_not_an_object_is_400(
    authorized: AuthorizedClient, sql: Sql, route: JsonRoute, body: Any
) -> None:
    with database_unchanged(sql):
        response = authorized.send(route, data=json.dumps(body))

    error = assert_error(response, 400)
    assert list(error["fields"]) == ["The request body"]
    assert error["error"] == "The request body must be a JSON object"
    assert error["hint"].startswith(f"Fields of this route: `{next(iter(route.valid))}`")


INVALID: dict[str, Any] = {
    "null": None,
    "true": True,
    "a list": ["walt@example.com"],
    "an object": {"$ne": ""},
    "an empty string": "",
    "NUL": "walt@example.com\0",
    "a lone high surrogate": "walt@example.com\ud83d",
    "surrogates in the wrong order": "\udc26\ud83d",
    "60,000 characters": "w" * 60_000,
}


@every_field
@pytest.mark.parametrize("value", INVALID.values(), ids=INVALID)
def test_invalid_field_is_400_and_named(
    authorized: AuthorizedClient, sql: Sql, route: JsonRoute, field: str, value: Any
) -> None:
    with database_unchanged(sql):
        response = authorized.send(route, data=json.dumps(route.valid | {field: value}))

    body = assert_error(response, 400)
    assert list(body["fields"]) == [field]
    assert f"`{field}`" in body["error"] or body["error"] == "Chirp is too long"


@every_field
def test_missing_field_is_400_and_named(
    authorized: AuthorizedClient, sql: Sql, route: JsonRoute, field: str
) -> None:
    body = {name: value for name, value in route.valid.items() if name != field}

    with database_unchanged(sql):
        response = authorized.send(route, json=body)

    assert assert_error(response, 400)["fields"] == {field: "is missing"}


@pytest.mark.parametrize("route", JSON_ROUTES[:3], ids=str)
def test_all_invalid_fields_are_named_together(
    authorized: AuthorizedClient, route: JsonRoute
) -> None:
    body = assert_error(authorized.send(route, json={"password": 5}), 400)

    assert body["fields"] == {"email": "is missing", "password": "must be a string"}


@every_json_route
@pytest.mark.parametrize(
    "content_type",
    [None, "application/x-www-form-urlencoded", "text/plain; charset=utf-16", ";;;"],
)
def test_content_type_is_ignored(
    authorized: AuthorizedClient, route: JsonRoute, content_type: str | None
) -> None:
    response = authorized.send(route, data=json.dumps(route.valid), content_type=content_type)

    assert response.status_code == route.status


@every_json_route
def test_unknown_keys_are_ignored(authorized: AuthorizedClient, sql: Sql, route: JsonRoute) -> None:
    more = {"": 1, "id": "evt_1", "is_chirpy_red": True, "\ud800": "\0", "__proto__": {"x": [[]]}}

    response = authorized.send(route, data=json.dumps(more | route.valid))

    assert response.status_code == route.status
    assert '"is_chirpy_red":true' not in response.text
    assert sql("TABLE memberships") == []
