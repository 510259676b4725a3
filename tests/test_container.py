"""Check the Dockerfile and the compose file, as far as that is possible without Docker."""

import json
import re
from typing import Any

import pytest
import yaml
from sqlalchemy import make_url

from tests.support.server import PROJECT, SECRETS

COMPOSE = (PROJECT / "docker-compose.yml").read_text()
DOCKERFILE = (PROJECT / "Dockerfile").read_text()
SERVICES: dict[str, Any] = yaml.safe_load(COMPOSE)["services"]
both_chirpy_services = pytest.mark.parametrize("service", ["migrate", "api"])


def instructions(name: str) -> list[str]:
    """Return the arguments of each instruction `name` in the Dockerfile."""
    return re.findall(rf"^{name} +(.+)$", DOCKERFILE, re.MULTILINE)


def test_compose_without_a_profile_starts_only_the_database() -> None:
    assert [name for name, service in SERVICES.items() if "profiles" not in service] == ["db"]


def test_compose_names_the_db_url_of_its_database_in_the_first_comment() -> None:
    [named] = re.findall(r"# +DB_URL=(\S+)", COMPOSE)
    url, db = make_url(named.replace("postgres:", "postgresql:", 1)), SERVICES["db"]

    login = {"POSTGRES_USER": url.username, "POSTGRES_PASSWORD": url.password}
    assert db["environment"] == {**login, "POSTGRES_DB": url.database}
    assert (url.host, db["ports"]) == ("localhost", [f"127.0.0.1:{url.port}:5432"])


def test_compose_keeps_the_data_in_a_named_volume_where_postgres_18_expects_it() -> None:
    [mount] = SERVICES["db"]["volumes"]

    assert mount == "postgres:/var/lib/postgresql"
    assert "postgres" in yaml.safe_load(COMPOSE)["volumes"]


def test_compose_checks_the_database_over_tcp() -> None:
    check = SERVICES["db"]["healthcheck"]["test"]

    assert {"pg_isready", "--host=127.0.0.1"} <= set(check)


def test_compose_publishes_ports_only_to_this_computer() -> None:
    ports = [port for service in SERVICES.values() for port in service.get("ports", [])]

    assert [port.split(":")[0] for port in ports] == ["127.0.0.1"] * 2


def test_compose_starts_the_database_then_the_migrations_then_the_api() -> None:
    completed, healthy = "service_completed_successfully", "service_healthy"

    assert SERVICES["migrate"]["depends_on"] == {"db": {"condition": healthy}}
    assert SERVICES["api"]["depends_on"] == {"migrate": {"condition": completed}}


@both_chirpy_services
def test_compose_uses_its_own_database_and_not_the_db_url_of_the_user(service: str) -> None:
    url = SERVICES[service]["environment"]["DB_URL"]

    assert url == "postgres://postgres:postgres@db:5432/chirpy"
    assert "env_file" not in SERVICES[service]


@both_chirpy_services
def test_compose_has_no_default_for_a_secret(service: str) -> None:
    for name in (*SECRETS, "SECRET", "POLKA_WEBHOOK_SECRETS"):
        assert SERVICES[service]["environment"][name] is None


def test_compose_starts_the_database_without_secrets_because_it_requires_no_variable() -> None:
    assert "$" not in json.dumps(yaml.safe_load(COMPOSE))


def test_compose_waits_longer_for_the_end_of_the_api_than_its_15_seconds() -> None:
    assert int(SERVICES["api"]["stop_grace_period"].removesuffix("s")) > 15


def test_image_runs_as_a_user_with_a_number_other_than_0() -> None:
    user, group = instructions("USER")[-1].split(":")

    assert int(user) > 0
    assert int(group) > 0


def test_image_starts_python_without_a_shell_so_that_signals_reach_it() -> None:
    assert json.loads(instructions("CMD")[-1]) == ["python", "app.py"]
    assert "ENTRYPOINT" not in DOCKERFILE


def test_build_context_contains_only_what_the_dockerfile_copies() -> None:
    sources = [text.split()[0] for text in instructions("COPY") if "--from" not in text]
    rules = re.findall(r"^[^#\n].*", (PROJECT / ".dockerignore").read_text(), re.MULTILINE)

    assert rules[0] == "*"
    assert {rule[1:] for rule in rules if rule[0] == "!"} == {name.rstrip("/") for name in sources}
