"""A database that tests make fail, and the webhooks that it receives meanwhile."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from time import sleep
from typing import Any

from flask import Flask
from sqlalchemy import URL
from werkzeug.test import TestResponse

from chirpy.database.connections import JUST_NOW
from tests.support.assertions import assert_error, database_unchanged
from tests.support.databases import Sql
from tests.support.factories import API_KEY, a_user, an_event, an_id

WEBHOOKS = "/api/polka/webhooks"
PRIVATE = "personal data in a body"
OTHERS = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"


def deliver(app: Flask, event: dict[str, Any]) -> TestResponse:
    """Send an event, with personal data in it."""
    return app.test_client().post(WEBHOOKS, json={"private": PRIVATE} | event, headers=API_KEY)


def outcome(response: TestResponse) -> str:
    """Return what came of a successful delivery."""
    assert response.status_code == 204
    return response.headers["Webhook-Outcome"]


def assert_unavailable(response: TestResponse) -> None:
    """Assert the 503 of every transient error."""
    assert assert_error(response, 503) == {
        "error": "The database is not available right now",
        "hint": "Send the same request again",
    }
    assert response.headers["Retry-After"] == "1"


@dataclass(frozen=True)
class Breakable:
    """A database that no other test uses, an application on it, and ways to make it fail."""

    url: URL
    sql: Sql
    app: Flask

    def deliver(self, event: dict[str, Any]) -> TestResponse:
        """Send an event to the application."""
        return deliver(self.app, event)

    def upgrade(self) -> dict[str, Any]:
        """Return an upgrade of a new user."""
        return an_event(a_user(self.sql), id=an_id())

    def upgrade_of_member(self) -> dict[str, Any]:
        """Return an upgrade that changes a membership instead of inserting one."""
        upgrade = self.upgrade()
        self.deliver(upgrade | {"event": "user.downgraded", "id": an_id()})
        return upgrade

    def fail_writes(
        self,
        act: str,
        times: int = 1_000_000,
        table: str = "memberships",
        *,
        at_commit: bool = False,
    ) -> None:
        """Run a PL/pgSQL statement at the first writes to a table, or when these commit.

        A sequence counts the writes, because no rollback resets it.
        """
        self.sql("CREATE SEQUENCE attempts")
        self.sql(
            f"""CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            IF nextval('attempts') <= {times} THEN {act}; END IF; RETURN NEW; END $$"""
        )
        self.sql(
            f"""CREATE CONSTRAINT TRIGGER fail AFTER INSERT OR UPDATE ON {table}
            {"DEFERRABLE INITIALLY DEFERRED" if at_commit else ""}
            FOR EACH ROW EXECUTE FUNCTION fail()"""
        )

    def attempts(self) -> int:
        """Return how many writes there were since `fail_writes`."""
        [[number]] = self.sql("SELECT last_value FROM attempts")
        return int(number)

    def stop_failing(self) -> None:
        """Undo `fail_writes`."""
        self.sql("DROP FUNCTION IF EXISTS fail CASCADE; DROP SEQUENCE IF EXISTS attempts")

    def close_connections(self) -> None:
        """Close the application's connections from the side of Postgres, and let it notice."""
        assert self.sql(f"SELECT pg_terminate_backend(pid, 10000) {OTHERS}")
        sleep(JUST_NOW)

    @contextmanager
    def altered(self, name: str, value: str) -> Iterator[None]:
        """Set a parameter for all new connections."""
        self.sql(f'ALTER DATABASE "{self.url.database}" SET {name} = {value}')
        yield
        self.sql(f'ALTER DATABASE "{self.url.database}" RESET {name}')

    def unchanged(self) -> AbstractContextManager[None]:
        """Assert that the block changes no row."""
        return database_unchanged(self.sql)

    def assert_applied(self, upgrade: dict[str, Any], deliveries: int = 1) -> None:
        """Assert that the database has one upgrade, and nothing else."""
        events = self.sql("SELECT event_id, outcome, deliveries FROM webhook_events")
        assert events == [(upgrade["id"], "applied", deliveries)]
        memberships = self.sql("SELECT user_id, event_id, is_chirpy_red FROM memberships")
        assert memberships == [(upgrade["data"]["user_id"], upgrade["id"], True)]
