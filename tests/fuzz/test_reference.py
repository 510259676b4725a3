"""/openapi.json is valid, and a server answers what it describes. For `make test-api`."""

import os
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL

from tests.support.factories import API_KEY, PASSWORD
from tests.support.server import Server, a_server

SCHEMATHESIS = Path(sys.executable).with_name("schemathesis")
CONFIGURATION = Path(__file__).with_name("schemathesis.toml")
CREDENTIALS = {"email": "schema@example.com", "password": PASSWORD}
TIMEOUT = 120  # seconds; schemathesis generates requests for up to 30
pytestmark = pytest.mark.api


@pytest.fixture
def unlimited_server(database_url: URL, emptied_database: None) -> Iterator[Server]:
    """A server where one address may sign up and fail to log in as often as it likes."""
    limits = {"SIGN_UPS_PER_ADDRESS": "0", "FAILED_LOGINS_PER_ADDRESS": "0"}
    with a_server(database_url, FAILED_LOGINS_PER_ACCOUNT="0", **limits) as server:
        yield server


def tokens(server: Server) -> dict[str, str]:
    """Return what schemathesis.toml names, of a new user."""
    server.request("POST", "/api/users", CREDENTIALS)
    login = server.request("POST", "/api/login", CREDENTIALS).json
    names = {"ACCESS_TOKEN": login["token"], "REFRESH_TOKEN": login["refresh_token"]}
    return names | {"POLKA_CREDENTIALS": API_KEY["Authorization"]}


def test_description_is_valid_openapi(server: Server) -> None:
    validator: Any = import_module("openapi_spec_validator")  # in no other requirements

    validator.validate(server.request("GET", "/openapi.json").json)


# A reset deletes the user that the other requests need.
@pytest.mark.parametrize("choice", ["--exclude-path", "--include-path"])
def test_server_answers_nothing_undocumented_and_no_500(
    unlimited_server: Server, choice: str, tmp_path: Path
) -> None:
    command = f"{SCHEMATHESIS} --config-file {CONFIGURATION} run --max-time 30 --seed 1 --no-color"
    ran = subprocess.run(
        [*command.split(), choice, "/admin/reset", f"{unlimited_server.url}/openapi.json"],
        env=os.environ | tokens(unlimited_server),
        cwd=tmp_path,
        capture_output=True,
        timeout=TIMEOUT,
        text=True,
        check=False,
    )

    assert ran.returncode == 0, ran.stdout
