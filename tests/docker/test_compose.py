"""`docker compose --profile app up`: the README's session, restarts, volumes, and the container."""

import os
import subprocess
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path

import pytest

from tests.support.databases import POLKA_KEY
from tests.support.server import PROJECT, SECRETS, wait_until
from tests.test_readme import comparable_lines, session_blocks

RUN = "CHIRPY_DOCKER"  # set by `make test-docker`: the tests take minutes, and ports 5432 and 8080
SETTINGS = SECRETS | {"PLATFORM": "dev", "DB_URL": ""}
# Compose ignores docker-compose.yml, and with it profiles, if it gets the name and not the file.
COMPOSE = ("docker", "compose", "--project-name", "chirpy-test", "--file", "docker-compose.yml")
APP = ("--profile", "app")
UP = ("up", "--detach", "--wait", "--wait-timeout", "300")  # seconds; 15 on an idle machine
USER = '{"email": "walt@example.com", "password": "123456"}'


def reason_to_skip() -> str:
    """Return why these tests cannot run here, or nothing."""
    if not os.environ.get(RUN):
        return "run `make test-docker`"
    for command in (["docker", "info"], ["docker", "compose", "version"]):
        try:
            ended = subprocess.run(command, capture_output=True, text=True, check=False)
        except FileNotFoundError:
            return "docker is not installed"
        if ended.returncode != 0:
            return f"`{' '.join(command)}` fails: {ended.stderr.strip()}"
    return ""


REASON = reason_to_skip()
pytestmark = pytest.mark.skipif(bool(REASON), reason=REASON)


def compose(*arguments: str) -> str:
    """Run `docker compose` with a volume of its own; return what it prints. Raise if it fails."""
    ended = subprocess.run(
        [*COMPOSE, *arguments],
        cwd=PROJECT,
        env=os.environ | SETTINGS,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def status(method: str, path: str, body: str | None = None) -> int:
    """Return the status of a request to the API, 0 if nothing answers."""
    connection = HTTPConnection("127.0.0.1", 8080, timeout=60)
    try:
        connection.request(method, path, body)
        return connection.getresponse().status
    except OSError:
        return 0
    finally:
        connection.close()


@pytest.fixture(scope="module", autouse=True)
def image() -> Iterator[None]:
    """Build the image; at the end, delete the containers and their volume."""
    compose(*APP, "down", "--volumes")
    # Not `build` before it: without an image of Chirpy, `up` must not look for one in a registry.
    compose(*APP, *UP, "--build")
    yield
    compose(*APP, "down", "--volumes")


@pytest.fixture(autouse=True)
def user(image: None) -> None:
    """Start what does not run, because tests run in any order, and make sure that USER exists."""
    if status("GET", "/api/readyz") != 200:
        compose(*APP, *UP)
    assert status("POST", "/api/users", USER) in {201, 409}


def test_session_in_readme_works_in_containers(tmp_path: Path) -> None:
    commands = "".join(text for language, text in session_blocks() if language == "sh")
    shown = "".join(text for language, text in session_blocks() if language != "sh")
    (tmp_path / ".env").write_text(f"POLKA_KEY={POLKA_KEY}\n")

    printed = subprocess.check_output(["bash", "-euc", commands], cwd=tmp_path, text=True)

    assert comparable_lines(printed) == comparable_lines(shown)


def test_container_runs_as_another_user_on_a_read_only_file_system() -> None:
    script = "import os; print(os.getuid()); open('/srv/chirpy/x', 'w')"
    ended = subprocess.run(
        [*COMPOSE, "exec", "api", "python", "-c", script],
        cwd=PROJECT,
        env=os.environ | SETTINGS,
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.stdout == "10001\n"
    assert "Read-only file system" in ended.stderr


def test_greeting_in_a_container_shows_the_published_url() -> None:
    assert "Chirpy serves on http://localhost:8080 " in compose("logs", "api")


def test_restart_of_the_database_and_the_api_keeps_the_data() -> None:
    for service in ("db", "api"):
        compose(*APP, "restart", service)
        wait_until(lambda: status("GET", "/api/readyz") == 200)

    assert status("POST", "/api/login", USER) == 200


def test_down_of_the_profile_stops_all_and_keeps_the_volume() -> None:
    compose(*APP, "down")
    assert compose("ps", "--all", "--quiet") == ""
    assert status("GET", "/api/healthz") == 0

    compose(*APP, *UP)

    assert status("POST", "/api/login", USER) == 200


def test_down_without_the_profile_leaves_the_api_running_and_not_ready() -> None:
    compose("down", "--volumes")
    assert status("GET", "/api/readyz") == 503

    compose(*UP)
    assert status("GET", "/api/readyz") == 503, "the new database is not migrated"

    compose(*APP, *UP)
    assert status("GET", "/api/readyz") == 200


def test_down_with_volumes_deletes_the_data() -> None:
    compose(*APP, "down", "--volumes")
    compose(*APP, *UP)

    assert status("POST", "/api/login", USER) == 401
