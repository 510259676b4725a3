"""What the container files promise, as far as it can be told without an engine."""

import json
import re
from pathlib import Path
from typing import Any, cast

import pytest
import yaml
from sqlalchemy import make_url

ROOT = Path(__file__).parents[1]
COMPOSE = (ROOT / "docker-compose.yml").read_text()
DOCKERFILE = (ROOT / "Dockerfile").read_text()
SECRETS = ["JWT_SECRET", "SECRET", "POLKA_KEY", "POLKA_WEBHOOK_SECRETS"]


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return cast("dict[str, Any]", yaml.safe_load(COMPOSE))


@pytest.fixture(scope="module")
def services(compose: dict[str, Any]) -> dict[str, Any]:
    return cast("dict[str, Any]", compose["services"])


def instructions(name: str) -> list[str]:
    """What follows each `name` in the Dockerfile."""
    return re.findall(rf"^{name} +(.+)$", DOCKERFILE, re.MULTILINE)


def test_without_a_profile_only_the_database_starts(services: dict[str, Any]) -> None:
    assert {name for name, it in services.items() if not it.get("profiles")} == {"db"}


def test_the_address_written_down_for_learners_is_the_one_of_the_database(
    services: dict[str, Any],
) -> None:
    written = re.search(r"DB_URL=(\S+localhost\S+)", COMPOSE)
    assert written
    url, db = make_url(written[1].replace("postgres:", "postgresql:", 1)), services["db"]

    assert url.username == db["environment"]["POSTGRES_USER"]
    assert url.password == db["environment"]["POSTGRES_PASSWORD"]
    assert url.database == db["environment"]["POSTGRES_DB"]
    assert db["ports"] == [f"127.0.0.1:{url.port}:5432"]


def test_the_data_survives_in_a_named_volume_mounted_where_postgres_18_wants_it(
    compose: dict[str, Any],
) -> None:
    [mount] = compose["services"]["db"]["volumes"]
    name, target = mount.split(":")

    assert name in compose["volumes"]
    assert target == "/var/lib/postgresql"


def test_the_database_is_asked_over_tcp_because_its_set_up_server_answers_on_the_socket(
    services: dict[str, Any],
) -> None:
    check = services["db"]["healthcheck"]["test"]

    assert "pg_isready" in check
    assert "--host=127.0.0.1" in check


def test_every_port_is_open_to_this_computer_alone(services: dict[str, Any]) -> None:
    ports = [port for service in services.values() for port in service.get("ports", [])]

    assert len(ports) == 2
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_the_api_waits_for_the_migrations_and_they_for_the_database(
    services: dict[str, Any],
) -> None:
    done, healthy = "service_completed_successfully", "service_healthy"

    assert services["api"]["depends_on"] == {"migrate": {"condition": done}}
    assert services["migrate"]["depends_on"] == {"db": {"condition": healthy}}


@pytest.mark.parametrize("name", ["migrate", "api"])
def test_inside_the_network_the_database_is_db_whatever_the_users_settings_say(
    services: dict[str, Any], name: str
) -> None:
    url = services[name]["environment"]["DB_URL"]

    assert url == "postgres://postgres:postgres@db:5432/chirpy"
    assert "env_file" not in services[name]


@pytest.mark.parametrize("name", ["migrate", "api"])
def test_secrets_have_no_default(services: dict[str, Any], name: str) -> None:
    assert [services[name]["environment"][secret] for secret in SECRETS] == [None] * 4


def test_a_missing_secret_keeps_nobody_from_starting_the_database() -> None:
    values = [line.split(" #")[0] for line in COMPOSE.splitlines() if line.lstrip()[:1] != "#"]

    assert not [value for value in values if "$" in value]


def test_stopping_leaves_more_time_than_the_server_takes(services: dict[str, Any]) -> None:
    assert int(services["api"]["stop_grace_period"].removesuffix("s")) > 15


def test_the_image_runs_as_a_numbered_user_who_is_not_root() -> None:
    user, group = instructions("USER")[-1].split(":")

    assert int(user) > 0
    assert int(group) > 0


def test_the_image_starts_the_program_without_a_shell_that_would_swallow_signals() -> None:
    assert json.loads(instructions("CMD")[-1]) == ["python", "app.py"]
    assert "ENTRYPOINT" not in DOCKERFILE


def test_the_build_is_sent_what_it_copies_and_nothing_else() -> None:
    copied = [it.split()[0].rstrip("/") for it in instructions("COPY") if "--from" not in it]
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]

    assert rules[0] == "*"
    assert sorted(rule[1:] for rule in rules if rule.startswith("!")) == sorted(copied)
