"""`readyz` says whether the database takes writes and keeps them, and what to do if not."""

import json
from io import StringIO
from pathlib import Path
from time import monotonic

import pytest
from flask import Flask

from chirpy.database.autocommit_pool import autocommit_pool
from chirpy.database.engine import db
from chirpy.server.readiness import warn_unless_usable
from tests.support.assertions import assert_error
from tests.support.databases import an_app
from tests.support.failures import Breakable
from tests.support.pgbouncer import needs_pgbouncer, pgbouncer

READ_ONLY = "The database takes no writes"
NO_FSYNC = "A crash of the machine can lose commits: fsync is off"  # as in all these tests
OFF = "A crash of Postgres can lose commits: behind PgBouncer, synchronous_commit is neither"


def readiness(app: Flask) -> str:
    """Return why the application is not ready, or an empty text."""
    start = monotonic()
    response = app.test_client().get("/api/readyz")
    assert monotonic() - start < 2
    if response.status_code == 200:
        return ""
    answer = assert_error(response, 503)
    assert answer["hint"]
    return str(answer["error"])


@pytest.mark.parametrize(
    ("setting", "platform", "problem"),
    [
        (("default_transaction_read_only", "on"), "dev", READ_ONLY),
        (("synchronous_commit", "off"), "dev", ""),  # Chirpy sets it for its connections
        (("synchronous_commit", "on"), "prod", NO_FSYNC),
    ],
)
def test_readiness_depends_on_settings_of_the_database(
    breakable: Breakable, setting: tuple[str, str], platform: str, problem: str
) -> None:
    with breakable.altered(*setting), an_app(breakable.url, platform=platform) as app:
        assert readiness(app) == problem


def test_start_logs_why_the_server_is_not_ready(breakable: Breakable, log: StringIO) -> None:
    with breakable.altered("default_transaction_read_only", "on"), an_app(breakable.url) as app:
        warn_unless_usable(app)

    line = json.loads(log.getvalue())
    assert line["message"] == f"Not ready: {READ_ONLY}"
    assert "target_session_attrs=read-write" in line["next"]


def test_server_is_ready_while_all_its_connections_are_in_use(breakable: Breakable) -> None:
    with (
        an_app(breakable.url, workers=1, db_connections=2) as app,
        app.app_context(),
        db.engine.connect(),
        autocommit_pool().connection(),
    ):
        assert readiness(app) == ""


@needs_pgbouncer
@pytest.mark.parametrize(("value", "problem"), [("off", OFF), ("local", OFF), ("on", "")])
def test_server_behind_pgbouncer_is_ready_if_the_role_makes_commits_durable(
    breakable: Breakable, folder: Path, value: str, problem: str
) -> None:
    with (
        breakable.altered("synchronous_commit", value),
        pgbouncer(breakable.url, folder, "transaction") as url,
        an_app(url) as app,
    ):
        assert readiness(app).startswith(problem)
        assert bool(readiness(app)) == bool(problem)
