"""An embedded Postgres that cannot be used is explained in one message."""

import os
import pwd
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import make_url

from chirpy.devtools.commands import register_commands
from chirpy.devtools.postgres import EmbeddedPostgres, EmbeddedPostgresError
from chirpy.server.migrations import MigrationFailed, migrate
from tests.conftest import CLUSTER_URL
from tests.support.commands import error_of
from tests.support.databases import an_app

UNREACHABLE = make_url("postgresql+psycopg2://chirpy@127.0.0.1:1/chirpy")


@contextmanager
def an_app_on(postgres: EmbeddedPostgres) -> Iterator[Flask]:
    with an_app(UNREACHABLE, postgres.ensure_running, db_url=None) as app:
        register_commands(app, postgres)
        yield app


class WithoutDatabase(EmbeddedPostgres):
    """An embedded Postgres that runs, but whose database was dropped."""

    def ensure_running(self) -> dict[str, Any]:
        host = make_url(os.environ[CLUSTER_URL]).query["host"]
        return {**self.connection, "host": str(host), "dbname": "dropped"}


@pytest.mark.usefixtures("cluster_url")
def test_embedded_database_that_was_dropped_is_explained(tmp_path: Path) -> None:
    with an_app_on(WithoutDatabase(tmp_path / "postgres")) as app:
        message = error_of(app, "webhooks", "list")
        with pytest.raises(MigrationFailed) as caught:
            migrate(app)

    assert "Chirpy cannot use its database:\n" in message
    assert 'database "dropped" does not exist' in message
    assert "\nNext: delete the database of `make run` with `make clean`" in message
    assert str(caught.value) in message


@pytest.mark.parametrize("command", ["psql", "webhooks list", "webhooks show id"])
def test_embedded_postgres_that_cannot_start_is_explained(tmp_path: Path, command: str) -> None:
    (tmp_path / "instance").write_text("a file where a folder should be")

    with an_app_on(EmbeddedPostgres(tmp_path / "instance" / "postgres")) as app:
        message = error_of(app, *command.split())

    assert message.startswith(f"Error: {tmp_path}/instance/postgres cannot be made or entered")


def test_embedded_postgres_of_another_user_is_not_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "data").mkdir()
    monkeypatch.setattr(os, "geteuid", lambda: 4_000_000_000)

    with pytest.raises(EmbeddedPostgresError, match=f"{tmp_path} belongs to user"):
        EmbeddedPostgres(tmp_path).destroy()
    assert (tmp_path / "data").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_folder_that_only_root_can_enter_is_explained_to_another_user(folder: Path) -> None:
    (folder / "instance").mkdir(mode=0o700)
    child = os.fork()
    if child == 0:
        os.setuid(pwd.getpwnam("nobody").pw_uid)
        with suppress(EmbeddedPostgresError):
            EmbeddedPostgres(folder / "instance" / "postgres").ensure_running()
            os._exit(1)
        os._exit(0)

    assert os.waitpid(child, 0)[1] == 0
