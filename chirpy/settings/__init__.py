"""The settings: read once from the environment, and checked before anything starts."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from flask import current_app
from sqlalchemy import URL

from chirpy.settings.database_url import DB_URL_EXAMPLE
from chirpy.settings.parsers import HOW_TO_MAKE_ONE, PARSERS

EXTENSION = "chirpy.settings"  # where the application keeps its settings
Problem = tuple[str, str]  # the name of a setting, and what is wrong with it
CPUS = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class SettingsError(Exception):
    """Settings are missing or wrong. The text names each of them, and no value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What can differ between deployments.

    A delivery is signed with any one of `polka_webhook_secrets`, which are decoded keys.
    `db_connections` are those of all worker processes: two servers stay below Postgres' 100.
    """

    db_url: URL | None = field(repr=False, default=None)  # its options can be secret
    platform: Literal["dev", "prod"] = "prod"
    jwt_secret: str = field(repr=False)
    polka_key: str | None = field(repr=False, default=None)
    polka_webhook_secrets: tuple[bytes, ...] = field(repr=False, default=())
    host: str = "127.0.0.1"
    port: int = 8080
    workers: int = min(CPUS, 8)
    threads: int = 32  # more than connections, because some threads wait for one
    db_connections: int = 48
    trusted_proxies: int = 0
    # In 15 minutes; 0 switches it off. A school behind one address stays far below.
    failed_logins_per_account: int = 100
    failed_logins_per_address: int = 1000
    sign_ups_per_address: int = 1000
    metrics_host: str = "127.0.0.1"
    metrics_port: int | None = None  # without it, nothing is counted
    log_requests: Literal["", "0", "1"] = ""  # empty: "1" in development, "0" in production


def parse_settings(environment: Mapping[str, str | None], if_missing: str = "") -> Settings:
    """Return the settings. Raise SettingsError for all problems.

    Its text ends with `if_missing` if a required setting is missing.
    """
    values, problems = parse_each(environment)
    if problems:
        lines = [" ".join(problem) for problem in problems]
        text = "\n  ".join(["Chirpy cannot start with these settings:", *lines])
        raise SettingsError(text + if_missing * (" is missing: " in text))
    return Settings(**values)


def parse_each(environment: Mapping[str, str | None]) -> tuple[dict[str, Any], list[Problem]]:
    """Return the valid values by their field, and the problems. An empty value counts as unset."""
    given = {name: text for name, text in environment.items() if text}
    if "SECRET" in given:
        given.setdefault("JWT_SECRET", given["SECRET"])
    values: dict[str, Any] = {}
    problems: list[Problem] = []
    if "DB_URL" not in given and given.get("PLATFORM", "prod") == "prod":
        missing = f"is missing: set {DB_URL_EXAMPLE}; only PLATFORM=dev needs none"
        problems.append(("DB_URL", missing))
    if "JWT_SECRET" not in given:
        problems.append(("JWT_SECRET", f"is missing: {HOW_TO_MAKE_ONE}"))
    if not given.keys() & {"POLKA_KEY", "POLKA_WEBHOOK_SECRETS"}:
        problems.append(("POLKA_KEY", "is missing: set the key that Polka sends"))
    for name in filter(given.get, PARSERS):
        try:
            values[name.lower()] = PARSERS[name](given[name])
        except ValueError as error:
            problems.append((name, str(error)))
    return values, problems


def current_settings() -> Settings:
    """Return the settings of the current application."""
    settings: Settings = current_app.extensions[EXTENSION]
    return settings
