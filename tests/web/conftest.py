"""A client that is authorized for every route."""

import pytest
from flask.testing import FlaskClient

from chirpy.settings import Settings
from tests.support.databases import Sql
from tests.support.factories import a_user
from tests.support.json_routes import AuthorizedClient, access_header


@pytest.fixture
def authorized(client: FlaskClient, sql: Sql, settings: Settings) -> AuthorizedClient:
    return AuthorizedClient(client, access_header(a_user(sql), settings.jwt_secret))
