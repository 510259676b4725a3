"""Assertions that the tests of several rooms share."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask.testing import FlaskClient
from werkzeug import Response
from werkzeug.test import TestResponse

from tests.support.databases import Sql

TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")  # RFC 3339, microseconds, UTC
NEXT_LINK = re.compile(r'<(/[!-;=?-~]*)>; rel="next"')  # relative
ERROR_KEYS = {"error", "hint", "fields"}
RETRY_AFTER = "Retry-After"
HEADER_OF_STATUS = {401: "WWW-Authenticate", 405: "Allow", 429: RETRY_AFTER, 503: RETRY_AFTER}


@contextmanager
def database_unchanged(sql: Sql) -> Iterator[None]:
    """Assert that the block changes no row of any table."""
    before = all_rows(sql)
    yield
    assert all_rows(sql) == before


def all_rows(sql: Sql) -> list[tuple[Any, ...]]:
    """Return every row of every table. `xmin` also shows an UPDATE that sets the same values."""
    tables = sql("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    selects = (f"SELECT '{name}', xmin::text, {name}::text FROM {name}" for [name] in tables)
    return sql(f"{' UNION ALL '.join(selects)} ORDER BY 1, 2, 3")


def assert_error(response: Response, status: int) -> dict[str, Any]:
    """Return the JSON of an error response, after checking what all of them have in common."""
    assert response.status_code == status, response.get_data(as_text=True)
    assert response.headers.getlist("Content-Type") == ["application/json"]
    assert response.headers["X-Request-Id"]
    assert "Webhook-Outcome" not in response.headers
    for name in set(HEADER_OF_STATUS.values()):
        expected = 1 if HEADER_OF_STATUS.get(status) == name else 0
        assert len(response.headers.getlist(name)) == expected, name
    body: dict[str, Any] = response.get_json()
    assert body["error"]
    assert body.get("hint") or status >= 500
    assert body.keys() <= ERROR_KEYS
    return body


def follow_links(client: FlaskClient, path: str, member: str) -> Iterator[list[str]]:
    """Read a list page by page, as a client does. Yield the `member` of each object on a page."""
    while path:
        response = client.get(path)
        assert response.status_code == 200, response.text
        yield [item[member] for item in response.get_json()]
        link = NEXT_LINK.fullmatch(response.headers.get("Link", ""))
        path = link[1] if link else ""


def assert_compact_json(response: TestResponse) -> None:
    """Assert that the body has no spaces between tokens and no escaped characters."""
    compact = json.dumps(response.get_json(), separators=(",", ":"), ensure_ascii=False)
    assert response.content_type == "application/json"
    assert response.get_data(as_text=True) == f"{compact}\n"
