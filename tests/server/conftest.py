"""Fixtures of the server's tests."""

from collections.abc import Iterator

import pytest
from sqlalchemy import URL

from tests.support.server import Server, a_server


@pytest.fixture(scope="module")
def single_thread_server(database_url: URL) -> Iterator[Server]:
    """A server that handles each request after all earlier ones."""
    with a_server(database_url, THREADS="1") as server:
        yield server
