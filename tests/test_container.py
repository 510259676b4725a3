"""Check the Dockerfile and the compose file, as far as that is possible without Docker."""

import json
import re
from typing import Any

import yaml
from sqlalchemy import make_url

from tests.support.server import PROJECT, SECRETS

COMPOSE = (PROJECT / "docker-compose.yml").read_text()
DOCKERFILE = (PROJECT / "Dockerfile").read_text()
SERVICES: dict[str, Any] = yaml.safe_load(COMPOSE)["services"]


def test_compose_without_a_profile_starts_only_the_database_and_requires_no_variable() -> None:
    assert [name for name, service in SERVICES.items() if "profiles" not in service] == ["db"]
    assert "$" not in json.dumps(yaml.safe_load(COMPOSE))


def test_compose_names_the_db_url_of_its_database_in_the_first_comment() -> None:
    [named] = re.findall(r"# +DB_URL=(\S+)", COMPOSE)
    url, db = make_url(named.replace("postgres:", "postgresql:", 1)), SERVICES["db"]

    login = {"POSTGRES_USER": url.username, "POSTGRES_PASSWORD": url.password}
    assert db["environment"] == {**login, "POSTGRES_DB": url.database}
    assert (url.host, db["ports"]) == ("localhost", [f"127.0.0.1:{url.port}:5432"])


def test_compose_publishes_ports_only_to_this_computer() -> None:
    ports = [port for service in SERVICES.values() for port in service.get("ports", [])]

    assert [port.split(":")[0] for port in ports] == ["127.0.0.1"] * 2


def test_compose_gives_chirpy_its_own_database_and_only_the_secrets_of_the_user() -> None:
    for service in (SERVICES["migrate"], SERVICES["api"]):
        assert "env_file" not in service
        assert make_url(service["environment"]["DB_URL"]).host == "db"
        for name in (*SECRETS, "SECRET", "POLKA_WEBHOOK_SECRETS"):
            assert service["environment"][name] is None


def test_compose_looks_for_chirpy_in_no_registry_because_it_is_built_here() -> None:
    chirpy = [service for service in SERVICES.values() if service["image"] == "chirpy"]

    assert [service["pull_policy"] for service in chirpy] == ["never", "never"]


def test_compose_waits_longer_for_the_end_of_the_api_than_its_15_seconds() -> None:
    assert int(SERVICES["api"]["stop_grace_period"].removesuffix("s")) > 15


def test_build_context_contains_only_what_the_dockerfile_copies() -> None:
    sources = re.findall(r"^COPY +(?!--from)(\S+)", DOCKERFILE, re.MULTILINE)
    rules = re.findall(r"^[^#\n].*", (PROJECT / ".dockerignore").read_text(), re.MULTILINE)

    assert rules[0] == "*"
    assert {rule[1:] for rule in rules if rule[0] == "!"} == {name.rstrip("/") for name in sources}
