"""Wrong paths, methods, ids and query strings are refused as JSON, and change nothing."""

from collections.abc import Iterator
from uuid import uuid4

import pytest
from flask.testing import FlaskClient

from chirpy.settings import Settings
from tests.support.assertions import assert_error, database_unchanged
from tests.support.databases import Sql
from tests.support.factories import a_user
from tests.support.json_routes import access_header

SOME_ID = "3311741c-680c-4546-99f3-fc9efac2036c"
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE", "BREW"}
ALLOWED = {
    "/api/healthz": {"GET", "HEAD"},
    "/api/readyz": {"GET", "HEAD"},
    "/admin/metrics": {"GET", "HEAD"},
    "/admin/reset": {"POST"},
    "/app/": {"GET", "HEAD"},
    "/api/users": {"POST", "PUT"},
    "/api/login": {"POST"},
    "/api/refresh": {"POST"},
    "/api/revoke": {"POST"},
    "/api/chirps": {"GET", "HEAD", "POST"},
    f"/api/chirps/{SOME_ID}": {"GET", "HEAD", "DELETE"},
    "/api/validate_chirp": {"POST"},
    "/api/polka/webhooks": {"POST"},
}
NOT_ALLOWED = [
    (method, path) for path, allowed in ALLOWED.items() for method in sorted(METHODS - allowed)
]
READABLE = [path for path, allowed in ALLOWED.items() if "GET" in allowed]
POST_PATHS = sorted(path for path, allowed in ALLOWED.items() if "POST" in allowed)


def shortened(value: str) -> str:
    """Return the name of a test's parameter."""
    return value[:40]


@pytest.fixture(autouse=True)
def _one_chirp(client: FlaskClient, sql: Sql) -> Iterator[None]:
    """Provide one chirp, and assert that no request changes the database."""
    insert = "INSERT INTO chirps (id, body, user_id) VALUES (%s, 'Hello', %s)"
    sql(insert, SOME_ID, str(a_user(sql)))
    with database_unchanged(sql):
        yield


# Methods


@pytest.mark.parametrize(("method", "path"), NOT_ALLOWED)
def test_wrong_method_is_405_with_allowed_methods(
    client: FlaskClient, method: str, path: str
) -> None:
    response = client.open(path, method=method)

    assert response.status_code == 405
    assert response.content_type == "application/json"
    assert set(response.headers["Allow"].split(", ")) - {"OPTIONS"} == ALLOWED[path]
    if method == "HEAD":
        assert response.data == b""
    else:
        hint = f"Allowed methods: {response.headers['Allow']}"
        assert assert_error(response, 405) == {"error": "Method not allowed", "hint": hint}


@pytest.mark.parametrize("path", READABLE)
def test_head_has_the_headers_of_get(client: FlaskClient, path: str) -> None:
    with client.get(path) as get, client.head(path) as head:
        assert get.status_code == head.status_code == 200
        assert head.data == b""
        for name in ("Content-Type", "Content-Length", "Link"):
            assert head.headers.get(name) == get.headers.get(name)


# Paths

PATHS = f"""
    /api /api/tweets /api/chirps/{SOME_ID}/replies /api/Chirps //api/users //app/index.html
    /%00 /%ff /%ed%a0%80 /%E2%98%83 /api/chirps%0d%0aX:%20y /app/%00 /app/%ff /app/assets /app/x
    /api/tweets/ /app/assets/
    /api/../app.py /app/%2e%2e/%2e%2e/settings.py /app/..%2f..%2fsettings.py
"""
UNKNOWN_PATHS = [*PATHS.split(), "/" + "a" * 20_000, "/app/" + "a" * 20_000, "/a" * 500]


@pytest.mark.parametrize("path", UNKNOWN_PATHS, ids=shortened)
def test_unknown_path_is_404(client: FlaskClient, path: str) -> None:
    body = assert_error(client.get(path), 404)

    assert body["error"] == "Not found"
    assert "GET /docs" in body["hint"]


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("path", sorted(ALLOWED.keys() - {"/app/"}))
def test_known_path_with_a_trailing_slash_is_404_with_a_hint(
    client: FlaskClient, method: str, path: str
) -> None:
    body = assert_error(client.open(f"{path}/", method=method), 404)

    assert body["hint"] == "Remove the slash at the end of the path"


@pytest.mark.parametrize("path", POST_PATHS)
@pytest.mark.parametrize("variant", ["{}/", "{}//", "/{}", "/.{}", "double slash inside"])
def test_post_is_never_redirected(client: FlaskClient, path: str, variant: str) -> None:
    first, _, rest = path[1:].partition("/")
    wrong = variant.format(path) if "{}" in variant else f"/{first}//{rest}"

    assert_error(client.post(wrong, json={}), 404)


INVALID_IDS = [
    *("latest", f"{{{SOME_ID}}}", f"urn:uuid:{SOME_ID}", SOME_ID.replace("-", "")),
    *(SOME_ID[:-1], f"{SOME_ID}0", SOME_ID.replace("c", "g"), SOME_ID.replace("1", "１")),
    *(f"%20{SOME_ID}", f"{SOME_ID}%0a", "%00", "%ff", "a" * 20_000),
]


@pytest.mark.parametrize("method", ["GET", "DELETE"])
@pytest.mark.parametrize("invalid_id", INVALID_IDS, ids=shortened)
def test_path_with_an_invalid_id_is_400(
    client: FlaskClient, settings: Settings, method: str, invalid_id: str
) -> None:
    access = access_header(uuid4(), settings.jwt_secret)

    response = client.open(f"/api/chirps/{invalid_id}", method=method, headers=access)

    assert list(assert_error(response, 400)["fields"]) == ["id"]


# Query strings

LIMITS = "0 1001 -1 1.5 1e2 0x10 1_0 %D9%A3 all %00 %ff"
NOT_CURSORS = f"2 {SOME_ID} {'A' * 28} {'A' * 36} %00 %ff {'é' * 32}"
OUTSIDE_THE_CALENDAR = ["gAAA" + "A" * 28, "f" * 32]
INVALID_QUERIES = {
    "author_id": ["", *INVALID_IDS],
    "limit": ["", "9" * 5000, *LIMITS.split()],
    "sort": ["up", "DESC", "asc%20", "asc,desc", "%00", "%ff"],
    "after": ["", *NOT_CURSORS.split(), *OUTSIDE_THE_CALENDAR],
}


@pytest.mark.parametrize(
    ("name", "value"),
    [(name, value) for name, values in INVALID_QUERIES.items() for value in values],
    ids=shortened,
)
def test_invalid_query_is_400_and_named(client: FlaskClient, name: str, value: str) -> None:
    body = assert_error(client.get(f"/api/chirps?{name}={value}"), 400)

    assert list(body["fields"]) == [name]
    assert name in body["error"]


def test_all_invalid_parts_of_a_query_are_named_together(client: FlaskClient) -> None:
    response = client.get("/api/chirps?author_id=1&limit=none&after=!")

    assert set(assert_error(response, 400)["fields"]) == {"author_id", "limit", "after"}


TEN_THOUSAND_NAMES = "&".join(f"a{number}=1" for number in range(10_000))


@pytest.mark.parametrize(
    "query",
    ["", "page=2", "=1&&==&", "%ff=%ff", "%00=%00", "a=%&b=%2", TEN_THOUSAND_NAMES],
    ids=shortened,
)
def test_other_parts_of_a_query_are_ignored(client: FlaskClient, query: str) -> None:
    response = client.get(f"/api/chirps?{query}")

    assert response.status_code == 200
    assert len(response.get_json()) == 1


def test_query_that_is_neither_ascii_nor_utf8_is_read(client: FlaskClient) -> None:
    raw = {"QUERY_STRING": "limit=\x80&é=1"}  # a server passes on what the client sent

    response = client.get("/api/chirps", environ_overrides=raw)

    assert list(assert_error(response, 400)["fields"]) == ["limit"]
