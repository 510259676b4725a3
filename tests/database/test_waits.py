"""A thread that waits for the database or for other requests says so, as long as it does."""

from collections.abc import Callable
from contextlib import closing
from math import inf
from threading import Thread
from typing import Any

import psycopg2
import pytest
from sqlalchemy import URL, create_engine
from sqlalchemy.exc import TimeoutError as PoolTimeout

from chirpy.database.engine import ObservedPool
from chirpy.database.slots import Slots
from chirpy.database.waits import Wait, current_wait
from chirpy.database.watched_connections import WatchedConnection, WatchedCursor
from tests.support.server import wait_until


def observe(call: Callable[[], object]) -> None:
    """Assert that a thread is said to wait during `call`, and not after it."""
    wait = Wait()

    def run() -> None:
        current_wait.set(wait)
        call()

    thread = Thread(target=run)
    thread.start()
    wait_until(lambda: wait.since != inf)
    thread.join()
    assert wait.since == inf


def test_wait_for_a_slot() -> None:
    slots = Slots(1)
    assert slots.acquire(0)
    observe(lambda: slots.acquire(0.3))


def test_wait_for_an_answer_of_the_database(database_url: URL) -> None:
    parameters: dict[str, Any] = {
        **database_url.translate_connect_args(username="user", database="dbname"),
        **database_url.query,
        "connection_factory": WatchedConnection,
        "cursor_factory": WatchedCursor,
    }
    connection = psycopg2.connect(**parameters)
    with closing(connection), connection.cursor() as cursor:
        observe(lambda: cursor.execute("SELECT pg_sleep(0.3)"))


def test_wait_for_a_connection_of_the_session_pool() -> None:
    engine = create_engine(
        "sqlite://", poolclass=ObservedPool, pool_size=1, max_overflow=0, pool_timeout=0.3
    )

    def connect() -> None:
        with pytest.raises(PoolTimeout):
            engine.connect()

    with engine.connect():
        observe(connect)
    engine.dispose()
