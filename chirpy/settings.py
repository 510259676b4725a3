"""The settings: read once from the environment, and checked before anything starts."""

import os
import re
from base64 import b64decode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal

from flask import current_app
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

EXTENSION = "chirpy.settings"  # where the application keeps its settings
DRIVER = "postgresql+psycopg2"  # named: SQLAlchemy 2.1 reads a bare postgresql:// as psycopg 3
JWT_SECRET_BYTES = 32  # RFC 7518, 3.2: an HS256 key is at least as long as its hash
DB_URL_EXAMPLE = "postgres://user:password@host:5432/name"
SIGNING_KEY_BYTES = range(24, 65)  # Standard Webhooks 1.0.0: 24 to 64 bytes
HOW_TO_MAKE_ONE = "try `python3 -c 'import secrets; print(secrets.token_hex(32))'`"
CPUS = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class SettingsError(Exception):
    """Settings are missing or wrong. The text names each of them, and no value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What can differ between deployments.

    A delivery is signed with any one of `polka_webhook_secrets`, which are decoded keys. By default
    the connections, two for each thread of each worker process, stay below Postgres' 100.
    """

    db_url: URL | None = field(repr=False, default=None)  # its options can be secret
    platform: Literal["dev", "prod"] = "prod"
    jwt_secret: str = field(repr=False)
    polka_key: str | None = field(repr=False, default=None)
    polka_webhook_secrets: tuple[bytes, ...] = field(repr=False, default=())
    host: str = "127.0.0.1"
    port: int = 8080
    workers: int = min(CPUS, 8)
    threads: int = 4
    log_requests: Literal["", "0", "1"] = ""  # empty: "1" in development, "0" in production


def parse_settings(environment: Mapping[str, str | None], if_missing: str = "") -> Settings:
    """Return the settings. An empty value counts as unset. Raise SettingsError for all problems.

    Its text ends with `if_missing` if a required setting is missing.
    """
    given = {name: text for name, text in environment.items() if text}
    if "SECRET" in given:
        given.setdefault("JWT_SECRET", given["SECRET"])
    values: dict[str, Any] = {}
    problems = []
    if "DB_URL" not in given and given.get("PLATFORM", "prod") == "prod":
        problems.append(f"DB_URL is missing: set {DB_URL_EXAMPLE}; only PLATFORM=dev needs none")
    if "JWT_SECRET" not in given:
        problems.append(f"JWT_SECRET is missing: {HOW_TO_MAKE_ONE}")
    if not given.keys() & {"POLKA_KEY", "POLKA_WEBHOOK_SECRETS"}:
        problems.append("POLKA_KEY is missing: set the key that Polka sends")
    for name in filter(given.get, PARSERS):
        try:
            values[name.lower()] = PARSERS[name](given[name])
        except ValueError as error:
            problems.append(f"{name} {error}")
    if problems:
        text = "\n  ".join(["Chirpy cannot start with these settings:", *problems])
        raise SettingsError(text + if_missing * (" is missing: " in text))
    return Settings(**values)


def current_settings() -> Settings:
    """Return the settings of the current application."""
    settings: Settings = current_app.extensions[EXTENSION]
    return settings


def parse_database_url(text: str) -> URL:
    """Return the URL with the driver in it, and the password where SQLAlchemy hides it."""
    if text.count("@") > 1:  # the rest of a password would count as the host
        raise ValueError("has more than one @: in the user and the password, write %40 instead")
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise ValueError(f"must be written as {DB_URL_EXAMPLE}") from None
    if url.drivername not in {"postgres", "postgresql", DRIVER}:
        raise ValueError("must start with postgres:// or postgresql://")
    if not url.database and not url.query.keys() & {"dbname", "service"}:
        raise ValueError(f"lacks the name of the database at its end: {DB_URL_EXAMPLE}")
    if password := url.query.get("password"):
        url = url.set(password=str(password)).difference_update_query(["password"])
    return url.set(drivername=DRIVER)


def parse_jwt_secret(text: str) -> str:
    """Return the secret if it is long enough to sign with."""
    if len(text.encode()) < JWT_SECRET_BYTES:
        raise ValueError(f"is shorter than {JWT_SECRET_BYTES} bytes: {HOW_TO_MAKE_ONE}")
    return text


def parse_signing_keys(text: str) -> tuple[bytes, ...]:
    """Return the keys in `whsec_` secrets with commas or spaces between them: at least one."""
    return tuple(map(parse_signing_key, re.findall(r"[^,\s]+", text) or [text]))


def parse_signing_key(secret: str) -> bytes:
    """Return the key in a `whsec_` secret."""
    try:
        key = b64decode(secret.removeprefix("whsec_"), validate=True)
    except ValueError:
        key = b""
    if not secret.startswith("whsec_") or len(key) not in SIGNING_KEY_BYTES:
        raise ValueError("must be whsec_ and the base64 of 24 to 64 bytes")
    return key


def parse_matching(text: str, pattern: str, problem: str) -> str:
    """Return the text if it matches a regular expression."""
    if not re.fullmatch(pattern, text):
        raise ValueError(problem)
    return text


def parse_whole_number(text: str, minimum: int, maximum: int) -> int:
    """Return the number in decimal digits. `int()` also accepts 1_000, +1 and Arabic digits."""
    if not re.fullmatch("[0-9]{1,18}", text) or not minimum <= int(text) <= maximum:
        raise ValueError(f"must be a whole number from {minimum} to {maximum}")
    return int(text)


# By name in the environment. Each raises ValueError with what is wrong, without the value.
PARSERS: dict[str, Callable[[str], Any]] = {
    "DB_URL": parse_database_url,
    "PLATFORM": partial(parse_matching, pattern="dev|prod", problem="must be dev or prod"),
    "JWT_SECRET": parse_jwt_secret,
    "POLKA_KEY": partial(parse_matching, pattern="[!-~]+", problem="must be ASCII without spaces"),
    "POLKA_WEBHOOK_SECRETS": parse_signing_keys,
    "HOST": str,
    "PORT": partial(parse_whole_number, minimum=1, maximum=65535),
    "WORKERS": partial(parse_whole_number, minimum=1, maximum=256),
    "THREADS": partial(parse_whole_number, minimum=1, maximum=256),
    "LOG_REQUESTS": partial(parse_matching, pattern="[01]", problem="must be 0 or 1"),
}
