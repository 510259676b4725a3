"""What answers tell browsers, and which requests of browsers a development server refuses."""

import re
from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import URL

from tests.support.assertions import assert_error, database_unchanged
from tests.support.databases import Sql, an_app
from tests.support.factories import API_KEY, a_person, an_email

PAGE, OTHER, PRIVATE = "a page or file", "another answer", "tokens or users, so it is not stored"
ANSWERS = [
    ("GET", "/api/healthz", 200, PAGE),
    ("GET", "/", 302, PAGE),
    ("GET", "/app/", 200, PAGE),
    ("GET", "/app/assets/logo.png", 200, PAGE),
    ("GET", "/static/style.css", 200, PAGE),
    ("GET", "/admin/metrics", 200, PAGE),
    ("GET", "/api/nowhere", 404, OTHER),
    ("GET", "/api/chirps", 200, OTHER),
    ("POST", "/api/polka/webhooks", 204, OTHER),
    ("GET", "/admin/webhooks", 200, PRIVATE),
    ("POST", "/admin/webhooks/credentials", 400, PRIVATE),
    ("POST", "/api/users", 400, PRIVATE),
    ("PUT", "/api/users", 401, PRIVATE),
    ("POST", "/api/login", 400, PRIVATE),
    ("POST", "/api/refresh", 401, PRIVATE),
]


@pytest.mark.parametrize(("method", "path", "status", "kind"), ANSWERS)
def test_every_answer_has_the_security_headers_of_its_kind(
    client: FlaskClient, method: str, path: str, status: int, kind: str
) -> None:
    headers = API_KEY if status == 204 else {}
    response = client.open(path, method=method, json={"event": "x"}, headers=headers, buffered=True)

    assert response.status_code == status
    assert response.headers.getlist("X-Content-Type-Options") == ["nosniff"]
    assert response.headers.getlist("Referrer-Policy") == ["no-referrer"] * (kind == PAGE)
    policies = response.headers.getlist("Content-Security-Policy")
    assert len(policies) == (kind == PAGE)
    for policy in policies:
        assert {"default-src 'self'", "frame-ancestors 'none'"} <= set(policy.split("; "))
        assert "unsafe" not in policy
    assert (response.headers.get("Cache-Control") == "no-store") is (kind == PRIVATE)


def test_tokens_and_users_are_not_stored(client: FlaskClient) -> None:
    credentials = {"email": an_email(), "password": "x"}
    requests = [
        ("POST", "/api/users", {}),
        ("POST", "/api/login", {}),
        ("POST", "/api/refresh", a_person(client).refresh),
        ("PUT", "/api/users", a_person(client).access),
    ]
    for method, path, headers in requests:
        response = client.open(path, method=method, json=credentials, headers=headers)
        credentials["email"] = an_email() if path == "/api/login" else credentials["email"]
        assert (response.status_code < 300, response.headers["Cache-Control"]) == (True, "no-store")


def test_page_has_nothing_inline_that_the_policy_would_block(client: FlaskClient) -> None:
    page = client.get("/app/", buffered=True).text

    assert not re.search(r"<style|<script[^>]*>[^<]|\sstyle=|\son\w+=|javascript:|https?:", page)


DEVELOPMENT_ROUTES = [
    ("POST", "/admin/reset"),
    ("GET", "/admin/webhooks"),
    ("POST", "/admin/webhooks/credentials"),
]
DELIVERY = {"id": "evt_1", "body": "{}"}
HOST = "localhost:8080"
ALLOWED = [
    {"Host": HOST},
    *({"Host": host} for host in ("localhost", "127.0.0.1:8080", "192.0.2.1", "[::1]:8080")),
    *({"Host": host} for host in ("api:8080", "host.docker.internal", "chirpy.localhost")),
    *({"Host": host} for host in ("chirpy_api_1:8080", "LOCALHOST", "[::FFFF:127.0.0.1]")),
    {"Host": "Dev.example.com:8080"},  # HOST
    {"Host": HOST, "Sec-Fetch-Site": "none"},  # typed into the address bar
    {"Host": HOST, "Sec-Fetch-Site": "same-origin", "Origin": f"http://{HOST}"},
]
REFUSED = [
    *({"Host": HOST, "Sec-Fetch-Site": site} for site in ("cross-site", "same-site", "?")),
    *({"Host": HOST, "Origin": f"http://{host}"} for host in ("example.com", "localhost:3000")),
    *({"Host": HOST, "Origin": origin} for origin in ("null", "", "http://localhost:8080.x")),
    {"Host": "example.com:8080", "Origin": "http://example.com:8080", "Sec-Fetch-Site": "none"},
    *({"Host": host} for host in ("127.0.0.1.example.com", "localhost.example.com", "[::1", "")),
    *({"Host": host} for host in ("x@localhost", "localhost:1.example.com", "[x]")),
]


@pytest.fixture(scope="module")
def development_app(database_url: URL) -> Iterator[Flask]:
    with an_app(database_url, host="dev.example.com") as app:
        yield app


@pytest.mark.parametrize(("method", "path"), DEVELOPMENT_ROUTES)
@pytest.mark.parametrize("headers", ALLOWED, ids=str)
def test_development_routes_accept_local_hosts_with_or_without_a_browser(
    development_app: Flask, sql: Sql, method: str, path: str, headers: dict[str, str]
) -> None:
    client = development_app.test_client()
    response = client.open(path, method=method, headers=headers, json=DELIVERY)

    assert response.status_code == 200


@pytest.mark.parametrize(("method", "path"), DEVELOPMENT_ROUTES)
@pytest.mark.parametrize("headers", REFUSED, ids=str)
def test_development_routes_refuse_other_sites_and_foreign_hosts(
    development_app: Flask, sql: Sql, method: str, path: str, headers: dict[str, str]
) -> None:
    sql("INSERT INTO users (email) VALUES ('walt@example.com')")

    client = development_app.test_client()
    with database_unchanged(sql):
        response = client.open(path, method=method, headers=headers, json=DELIVERY)

    assert_error(response, 403)


def test_other_routes_serve_any_host_and_site(client: FlaskClient) -> None:
    headers = {"Host": "chirpy.example.com", "Sec-Fetch-Site": "cross-site"}

    assert client.get("/api/chirps", headers=headers).status_code == 200
