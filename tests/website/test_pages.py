"""The page at /app/, its files, and the count of visits.

`buffered=True` reads a response to its end and closes the file that it sends.
"""

import re
from urllib.parse import urljoin

import pytest
from flask.testing import FlaskClient
from sqlalchemy import URL

from tests.support.assertions import assert_error
from tests.support.databases import an_app
from tests.support.server import PROJECT

STATIC = PROJECT / "chirpy/website/static"


def visits(client: FlaskClient) -> int:
    """Return the number on the metrics page."""
    page = client.get("/admin/metrics").text
    return int(page.partition("Chirpy has been visited ")[2].partition(" times!")[0])


@pytest.mark.parametrize(
    ("path", "mimetype", "part"),
    [
        ("", "text/html", b"Welcome to Chirpy"),
        ("index.html", "text/html", b"Welcome to Chirpy"),
        ("assets/logo.png", "image/png", b"\x89PNG\r\n"),
    ],
)
def test_page_and_logo_are_served(
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
    response = client.get("/app/assets/logo.png", headers={"Range": "bytes=999999-"})

    assert_error(response, 416)
    assert response.headers["Content-Range"].startswith("bytes */")


def test_every_file_that_pages_and_scripts_name_exists(client: FlaskClient) -> None:
    pages = "".join(client.get(path, buffered=True).text for path in ("/app/", "/docs"))
    found = re.findall(r'(?:src|href)="(/static/[^"]+)"', pages)

    for path in found:  # grows while the scripts are read
        file = client.get(path, buffered=True)
        assert file.status_code == 200, path
        if path.endswith(".js"):
            assert file.mimetype == "text/javascript"
            imports = re.findall(r'^(?:import|\} from) .*"(\.[^"]+)";$', file.text, re.MULTILINE)
            found += {urljoin(path, name) for name in imports} - set(found)
    scripts = {f"/static/{path.relative_to(STATIC)}" for path in STATIC.rglob("*.js")}
    assert scripts == {path for path in found if path.endswith(".js")}


@pytest.mark.parametrize(
    ("platform", "host", "shown"),
    [
        ("dev", "localhost:8080", True),
        ("dev", "example.com", False),
        ("prod", "localhost:8080", False),
    ],
)
def test_lab_is_in_the_page_of_a_development_server_only(
    database_url: URL, platform: str, host: str, shown: bool
) -> None:
    with an_app(database_url, platform=platform) as app:
        page = app.test_client().get("/app/", headers={"Host": host}).text

    assert ("lab/main.js" in page, 'id="lab"' in page) == (shown, shown)
