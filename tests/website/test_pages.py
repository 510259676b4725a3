"""The pages below /app/, and the count of visits.

`buffered=True` reads a response to its end and closes the file that it sends.
"""

import pytest
from flask.testing import FlaskClient

from tests.support.assertions import assert_error


def visits(client: FlaskClient) -> int:
    """Return the number on the metrics page."""
    page = client.get("/admin/metrics").text
    return int(page.partition("Chirpy has been visited ")[2].partition(" times!")[0])


@pytest.mark.parametrize(
    ("path", "mimetype", "part"),
    [("", "text/html", b"Welcome to Chirpy"), ("assets/logo.png", "image/png", b"\x89PNG\r\n")],
)
def test_front_page_and_logo_are_served(
    client: FlaskClient, path: str, mimetype: str, part: bytes
) -> None:
    file = client.get(f"/app/{path}", buffered=True)

    assert (file.status_code, file.mimetype) == (200, mimetype)
    assert part in file.data


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(("path", "status"), [("/", 302), ("//", 302), ("/app", 308)])
def test_root_and_app_without_slash_redirect_to_front_page(
    client: FlaskClient, method: str, path: str, status: int
) -> None:
    redirect = client.open(path, method=method, buffered=True)

    assert redirect.status_code == status
    assert redirect.location == "/app/"


def test_every_request_below_app_and_no_other_is_a_visit(client: FlaskClient) -> None:
    for path in ("/app", "/application/", "/", "/api/healthz", "/api/chirps", "/admin/metrics"):
        client.get(path, buffered=True)
    assert visits(client) == 0

    for path in ("/app/", "/app/assets/logo.png", "/app/nowhere"):
        client.get(path, buffered=True)
    client.head("/app/", buffered=True)
    client.post("/app/", buffered=True)
    assert visits(client) == 5


def test_request_for_cached_file_is_304_and_a_visit(client: FlaskClient) -> None:
    etag = client.get("/app/assets/logo.png", buffered=True).headers["ETag"]
    cached = client.get("/app/assets/logo.png", buffered=True, headers={"If-None-Match": etag})

    assert cached.status_code == 304
    assert visits(client) == 2


def test_range_beyond_a_file_is_416_with_its_length(client: FlaskClient) -> None:
    response = client.get("/app/index.html", headers={"Range": "bytes=999999-"})

    assert_error(response, 416)
    assert response.headers["Content-Range"].startswith("bytes */")
