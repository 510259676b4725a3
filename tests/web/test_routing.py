"""What those may rely on who lose their way: wrong paths, methods, ids and query strings."""

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
READABLE = [path for path, allowed in ALLOWED.items() if "GET" in allowed and SOME_ID not in path]


@pytest.fixture(autouse=True)
def _chirp(client: FlaskClient, sql: Sql) -> Iterator[None]:
    """There is something to lose the way to, and it stays as it is."""
    assert client
    sql("INSERT INTO chirps (body, user_id) VALUES ('Hello', %s)", str(a_user(sql)))
    with database_unchanged(sql):
        yield


# Methods


@pytest.mark.parametrize(("method", "path"), NOT_ALLOWED)
def test_a_method_that_is_not_allowed_is_told_which_are(
    client: FlaskClient, method: str, path: str
) -> None:
    answer = client.open(path, method=method)

    assert answer.status_code == 405
    assert answer.content_type == "application/json"
    assert set(answer.headers["Allow"].split(", ")) - {"OPTIONS"} == ALLOWED[path]
    if method == "HEAD":
        assert answer.data == b""
    else:
        said = assert_error(answer, 405)
        assert said["error"] == "Method not allowed"
        assert said["hint"] == f"Allowed methods: {answer.headers['Allow']}"


@pytest.mark.parametrize("path", READABLE)
def test_head_works_where_get_does(client: FlaskClient, path: str) -> None:
    with client.get(path) as get, client.head(path) as head:
        assert get.status_code == head.status_code == 200
        assert head.data == b""
        for name in ("Content-Type", "Content-Length", "Link"):
            assert head.headers.get(name) == get.headers.get(name)


def test_head_tells_whether_a_chirp_is_there(client: FlaskClient, sql: Sql) -> None:
    [[chirp_id]] = sql("SELECT id FROM chirps")

    found, missing = client.head(f"/api/chirps/{chirp_id}"), client.head(f"/api/chirps/{SOME_ID}")

    assert (found.status_code, found.data) == (200, b"")
    assert (missing.status_code, missing.data) == (404, b"")


# Paths

NOWHERE = {
    "the root": "/",
    "the API itself": "/api",
    "no such noun": "/api/tweets",
    "a level too deep": f"/api/chirps/{SOME_ID}/replies",
    "another case": "/api/Chirps",
    "a slash at the end": "/api/chirps/",
    "NUL": "/%00",
    "not UTF-8": "/%ff",
    "a surrogate": "/%ed%a0%80",
    "a snowman": "/%E2%98%83",
    "a line": "/api/chirps%0d%0aX:%20y",
    "dots": "/api/../app.py",
    "dots in disguise": "/app/%2e%2e/%2e%2e/settings.py",
    "dots and slashes in disguise": "/app/..%2f..%2fsettings.py",
    "NUL below /app": "/app/%00",
    "not UTF-8 below /app": "/app/%ff",
    "a folder": "/app/assets",
    "a slash too many at the start": "//app/index.html",
    "20,000 letters": "/" + "a" * 20_000,
    "20,000 letters below /app": "/app/" + "a" * 20_000,
    "500 levels": "/a" * 500,
}


@pytest.mark.parametrize("path", NOWHERE.values(), ids=NOWHERE)
def test_a_path_that_leads_nowhere_is_not_found(client: FlaskClient, path: str) -> None:
    said = assert_error(client.get(path), 404)

    assert said["error"] == "Not found"
    assert said["hint"]


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("path", sorted(ALLOWED.keys() - {"/app/"}))
def test_whoever_wrote_a_slash_at_the_end_is_told_to_leave_it_out(
    client: FlaskClient, method: str, path: str
) -> None:
    said = assert_error(client.open(f"{path}/", method=method), 404)

    assert said["hint"] == "Remove the slash at the end of the path"


@pytest.mark.parametrize("path", ["/api/tweets/", "/app/assets/", "//", "//api/users"])
def test_but_not_where_that_would_lead_nowhere_either(client: FlaskClient, path: str) -> None:
    assert "docs/api.md" in assert_error(client.get(path), 404)["hint"]


POSTED = sorted(path for path, allowed in ALLOWED.items() if "POST" in allowed)


@pytest.mark.parametrize("path", POSTED)
@pytest.mark.parametrize("lost", ["{}/", "{}//", "/{}", "/.{}"])
def test_a_post_is_never_redirected(client: FlaskClient, path: str, lost: str) -> None:
    assert_error(client.post(lost.format(path), json={}), 404)


@pytest.mark.parametrize("path", POSTED)
def test_a_post_with_a_slash_too_many_inside_is_not_redirected(
    client: FlaskClient, path: str
) -> None:
    first, _, rest = path[1:].partition("/")

    assert_error(client.post(f"/{first}//{rest}", json={}), 404)


NO_IDS = {
    "a number": "1",
    "a word": "latest",
    "braces": f"{{{SOME_ID}}}",
    "a URN": f"urn:uuid:{SOME_ID}",
    "no hyphens": SOME_ID.replace("-", ""),
    "hyphens elsewhere": "3311741c680c-4546-99f3-fc9e-fac2036c",
    "a digit too few": SOME_ID[:-1],
    "a digit too many": f"{SOME_ID}0",
    "a letter that is no digit": SOME_ID.replace("c", "g"),
    "other digits": SOME_ID.replace("1", "１"),
    "a blank before": f"%20{SOME_ID}",
    "a newline after": f"{SOME_ID}%0a",
    "NUL": "%00",
    "not UTF-8": "%ff",
    "an emoji": "🐦",
    "20,000 letters": "a" * 20_000,
    "SQL": "'%20OR%20true;--",
}


@pytest.mark.parametrize("method", ["GET", "DELETE"])
@pytest.mark.parametrize("no_id", NO_IDS.values(), ids=NO_IDS)
def test_what_is_no_uuid_is_refused_by_name(
    client: FlaskClient, settings: Settings, method: str, no_id: str
) -> None:
    access = access_header(uuid4(), settings.jwt_secret)

    answer = client.open(f"/api/chirps/{no_id}", method=method, headers=access)

    assert list(assert_error(answer, 400)["fields"]) == ["id"]


# Query strings

BAD_QUERIES = {
    **{f"author_id: {name}": ("author_id", no_id) for name, no_id in NO_IDS.items()},
    "author_id: empty": ("author_id", ""),
    "limit: empty": ("limit", ""),
    "limit: 0": ("limit", "0"),
    "limit: 1001": ("limit", "1001"),
    "limit: negative": ("limit", "-1"),
    "limit: a fraction": ("limit", "1.5"),
    "limit: an exponent": ("limit", "1e2"),
    "limit: hexadecimal": ("limit", "0x10"),
    "limit: an underscore": ("limit", "1_0"),
    "limit: other digits": ("limit", "%D9%A3"),
    "limit: words": ("limit", "all"),
    "limit: 5,000 digits": ("limit", "9" * 5000),
    "limit: NUL": ("limit", "%00"),
    "limit: not UTF-8": ("limit", "%ff"),
    "after: empty": ("after", ""),
    "after: a number": ("after", "2"),
    "after: an id": ("after", SOME_ID),
    "after: too short": ("after", "A" * 28),
    "after: too long": ("after", "A" * 36),
    "after: before all calendars": ("after", "gAAA" + "A" * 28),
    "after: after all calendars": ("after", "f" * 32),
    "after: NUL": ("after", "%00"),
    "after: not UTF-8": ("after", "%ff"),
    "after: not ASCII": ("after", "é" * 32),
}


@pytest.mark.parametrize(("name", "value"), BAD_QUERIES.values(), ids=BAD_QUERIES)
def test_a_query_that_cannot_be_right_is_refused_by_name(
    client: FlaskClient, name: str, value: str
) -> None:
    answer = client.get(f"/api/chirps?{name}={value}")

    said = assert_error(answer, 400)
    assert list(said["fields"]) == [name]
    assert name in said["error"]


def test_all_that_is_wrong_with_a_query_is_named_at_once(client: FlaskClient) -> None:
    answer = client.get("/api/chirps?author_id=1&limit=none&after=!")

    assert set(assert_error(answer, 400)["fields"]) == {"author_id", "limit", "after"}


HARMLESS = {
    "only a question mark": "",
    "an unknown name": "page=2",
    "no name": "=1&&==&",
    "not UTF-8": "%ff=%ff",
    "NUL": "%00=%00",
    "half an escape": "a=%&b=%2",
    "10,000 names": "&".join(f"a{number}=1" for number in range(10_000)),
}


@pytest.mark.parametrize("query", HARMLESS.values(), ids=HARMLESS)
def test_whatever_else_a_query_says_is_ignored(client: FlaskClient, query: str) -> None:
    answer = client.get(f"/api/chirps?{query}")

    assert answer.status_code == 200
    assert len(answer.get_json()) == 1
