"""Health, readiness, metrics and reset."""

import pytest
from flask.testing import FlaskClient
from sqlalchemy import URL

from tests.support.accounts import upgrade
from tests.support.assertions import assert_error, database_unchanged
from tests.support.databases import UNREACHABLE, Sql, an_app
from tests.support.factories import a_chirp, a_person

TABLES = (
    *("users", "refresh_tokens", "chirps", "memberships", "webhook_events", "attempt_counters"),
)


@pytest.fixture
def rows_in_every_table(client: FlaskClient, sql: Sql) -> None:
    person = a_person(client)
    a_chirp(client, person)
    upgrade(client, person.id)
    client.get("/app/", buffered=True)
    assert 0 not in row_counts(sql)


def row_counts(sql: Sql) -> list[int]:
    return [sql(f"SELECT count(*) FROM {table}")[0][0] for table in TABLES]


def metrics(client: FlaskClient) -> list[str]:
    return [line.strip() for line in client.get("/admin/metrics").text.splitlines()]


def test_metrics_are_html_with_the_number_of_visits(client: FlaskClient) -> None:
    client.get("/app/", buffered=True)

    assert client.get("/admin/metrics").headers["Content-Type"] == "text/html; charset=utf-8"
    assert "<h1>Welcome, Chirpy Admin</h1>" in metrics(client)
    assert "<p>Chirpy has been visited 1 times!</p>" in metrics(client)


@pytest.mark.usefixtures("rows_in_every_table")
def test_reset_empties_every_table_and_restarts_visits(client: FlaskClient, sql: Sql) -> None:
    assert client.post("/admin/reset").status_code == 200
    assert row_counts(sql) == [0] * len(TABLES)
    assert "<p>Chirpy has been visited 0 times!</p>" in metrics(client)

    client.get("/app/", buffered=True)
    assert "<p>Chirpy has been visited 1 times!</p>" in metrics(client)


@pytest.mark.usefixtures("rows_in_every_table")
def test_reset_in_production_is_403_without_effect(database_url: URL, sql: Sql) -> None:
    with an_app(database_url, platform="prod") as app:
        client = app.test_client()
        with database_unchanged(sql):
            assert_error(client.post("/admin/reset"), 403)

        assert "<p>Chirpy has been visited 1 times!</p>" in metrics(client)


@pytest.mark.parametrize("path", ["/api/healthz", "/api/readyz"])
def test_health_and_readiness_are_200_in_plain_text(client: FlaskClient, path: str) -> None:
    response = client.get(path)

    assert (response.status_code, response.data) == (200, b"OK")
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"


def test_server_without_database_is_healthy_but_not_ready() -> None:
    with an_app(UNREACHABLE) as app:
        assert app.test_client().get("/api/healthz").status_code == 200
        not_ready = app.test_client().get("/api/readyz")

    assert_error(not_ready, 503)
    assert not_ready.headers["Retry-After"].isdecimal()
