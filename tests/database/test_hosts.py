"""DB_URL can name several hosts; PgBouncer must not be in statement mode."""

import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from chirpy.database import startup
from chirpy.database.engine import db
from chirpy.database.migration_state import latest_version
from chirpy.server.migrations import MigrationFailed, version_at_start
from chirpy.settings.database_url import parse_database_url
from tests.support.commands import error_of
from tests.support.databases import an_app, patch_connect
from tests.support.failures import Breakable, assert_unavailable, deliver, outcome
from tests.support.pgbouncer import needs_pgbouncer, pgbouncer

TWO_DOWN = "postgres://learner@127.0.0.1:1,127.0.0.2:1/chirpy"


def test_delivery_goes_to_the_first_host_that_answers(breakable: Breakable) -> None:
    socket = breakable.url.query["host"]
    options = {"host": f"127.0.0.1,{socket}", "port": f"1,{breakable.url.query['port']}"}
    url = breakable.url.update_query_dict({**options, "target_session_attrs": "read-write"})

    with an_app(url) as app, app.app_context():
        assert version_at_start() == latest_version()
        assert outcome(deliver(app, breakable.upgrade())) == "applied"


def test_host_that_answered_last_is_tried_first(breakable: Breakable) -> None:
    socket = breakable.url.query["host"]
    used: list[str] = []

    def record(connect: Callable[..., Any], options: dict[str, Any]) -> Any:
        used.append(options["host"])
        return connect(**options)

    with (
        an_app(
            breakable.url.update_query_dict({"host": f"127.0.0.1,{socket}", "port": "1,5432"})
        ) as app,
        app.app_context(),
    ):
        for engine in db.engines.values():
            patch_connect(engine, record)
            engine.connect().close()
    assert used == [f"127.0.0.1,{socket}", f"{socket},127.0.0.1"]


def test_all_hosts_that_fail_are_named(log: StringIO) -> None:
    with an_app(parse_database_url(TWO_DOWN)) as app:
        assert_unavailable(deliver(app, {"event": "x"}))
        message = error_of(app, "webhooks", "list")

    cause = json.loads(log.getvalue().splitlines()[0])["cause"]
    for text in (cause, message):
        assert '"127.0.0.1", port 1 failed: Connection refused' in text
        assert '"127.0.0.2", port 1 failed: Connection refused' in text
    assert f"cannot use the database {TWO_DOWN}:\n" in message


@needs_pgbouncer
def test_start_refuses_pgbouncer_in_statement_mode(breakable: Breakable, folder: Path) -> None:
    with (
        pgbouncer(breakable.url, folder, "statement") as url,
        an_app(url) as app,
        app.app_context(),
        pytest.raises(MigrationFailed) as caught,
    ):
        version_at_start()

    assert str(caught.value) == startup.STATEMENT_MODE
