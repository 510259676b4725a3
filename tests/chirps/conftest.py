"""Fixtures of the chirp tests."""

import pytest
from flask.testing import FlaskClient

from tests.support.factories import Person, a_person


@pytest.fixture
def author(client: FlaskClient) -> Person:
    return a_person(client)
