"""What people with a browser may rely on, and that each of their requests is counted.

`buffered=True` reads an answer to its end and closes the file that it comes from.
"""

import pytest
from flask.testing import FlaskClient


def visits(client: FlaskClient) -> int:
    """The number that the metrics page shows."""
    page = client.get("/admin/metrics").text
    return int(page.partition("Chirpy has been visited ")[2].partition(" times!")[0])


def test_the_front_page_welcomes_its_visitors(client: FlaskClient) -> None:
    page = client.get("/app/", buffered=True)

    assert page.status_code == 200
    assert page.mimetype == "text/html"
    assert "Welcome to Chirpy" in page.text


def test_the_logo_is_a_picture(client: FlaskClient) -> None:
    logo = client.get("/app/assets/logo.png", buffered=True)

    assert logo.status_code == 200
    assert logo.mimetype == "image/png"
    assert logo.data.startswith(b"\x89PNG\r\n")


def test_the_front_page_is_found_without_its_last_slash(client: FlaskClient) -> None:
    redirect = client.get("/app", buffered=True)

    assert redirect.status_code == 308
    assert redirect.location == "/app/"


@pytest.mark.parametrize(
    "path", ["/app/nowhere", "/app/assets/", "/app/../app.py", "/app/%2e%2e/x"]
)
def test_what_is_not_there_is_told_as_json(client: FlaskClient, path: str) -> None:
    answer = client.get(path, buffered=True)

    assert answer.status_code == 404
    assert answer.get_json()["error"]


def test_every_request_below_app_counts_found_or_not(client: FlaskClient) -> None:
    assert visits(client) == 0
    client.get("/app/", buffered=True)
    client.get("/app/assets/logo.png", buffered=True)
    client.get("/app/nowhere", buffered=True)
    client.head("/app/", buffered=True)
    client.post("/app/", buffered=True)

    assert visits(client) == 5


def test_what_is_elsewhere_does_not_count(client: FlaskClient) -> None:
    for path in ("/app", "/application/", "/", "/api/healthz", "/api/chirps", "/admin/metrics"):
        client.get(path, buffered=True)

    assert visits(client) == 0


def test_a_picture_that_the_browser_has_already_counts_all_the_same(client: FlaskClient) -> None:
    known = client.get("/app/assets/logo.png", buffered=True).headers["ETag"]
    again = client.get("/app/assets/logo.png", buffered=True, headers={"If-None-Match": known})

    assert again.status_code == 304
    assert visits(client) == 2
