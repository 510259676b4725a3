"""The settings: read once from the environment, and checked before anything starts."""

import os
import re
from base64 import b64decode
from binascii import Error as Base64Error
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from dotenv import dotenv_values
from flask import current_app
from marshmallow import (
    EXCLUDE,
    Schema,
    ValidationError,
    fields,
    post_load,
    validates,
    validates_schema,
)
from marshmallow.validate import OneOf, Regexp
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

EXTENSION = "chirpy.settings"  # where the application keeps its settings
DRIVER = "postgresql+psycopg2"  # named: SQLAlchemy 2.1 reads a bare postgresql:// as psycopg 3
SCHEMES = {"postgres", "postgresql", DRIVER}
JWT_SECRET_BYTES = 32  # RFC 7518, 3.2: an HS256 key is at least as long as its hash
SIGNING_KEY_BYTES = range(24, 65)  # Standard Webhooks 1.0.0: 24 to 64 bytes
DIGITS = re.compile("[0-9]{1,18}")
HOW_TO_MAKE_ONE = "try `python -c 'import secrets; print(secrets.token_hex(32))'`"
CPUS = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class SettingsError(Exception):
    """Settings are missing or wrong. The text names each of them, and no value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What can differ between deployments.

    Without `db_url` the embedded Postgres is used. `polka_webhook_secrets` are decoded keys; a
    delivery is signed with any one of them. The defaults of `workers` (processes) and `threads` (in
    each) keep the connections, two for each thread, below the 100 that Postgres allows by default.
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


class DatabaseUrl(fields.Field[URL]):
    """A `postgres://…` or `postgresql://…` URL."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> URL:
        try:
            url = make_url(value)
        except (ArgumentError, ValueError):
            raise ValidationError("write it as postgres://user:password@host:5432/name") from None
        if url.drivername not in SCHEMES:
            raise ValidationError("must start with postgres:// or postgresql://")
        if password := url.query.get("password"):  # SQLAlchemy would not hide it there
            url = url.set(password=str(password)).difference_update_query(["password"])
        return url.set(drivername=DRIVER)


class SigningKeys(fields.Field[tuple[bytes, ...]]):
    """`whsec_…` keys with commas or spaces between them: several while one is replaced."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> tuple[bytes, ...]:
        return tuple(signing_key(secret) for secret in value.replace(",", " ").split())


class WholeNumber(fields.Field[int]):
    """A whole number from `minimum` to `maximum`."""

    def __init__(self, minimum: int, maximum: int, *, data_key: str) -> None:
        super().__init__(data_key=data_key)
        self.bounds = minimum, maximum

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> int:
        return parse_whole_number(value, *self.bounds)


class SettingsSchema(Schema):
    """The settings by their names in the environment."""

    class Meta:
        unknown = EXCLUDE

    db_url = DatabaseUrl(data_key="DB_URL")
    platform = fields.Str(
        data_key="PLATFORM", validate=OneOf(["dev", "prod"], error="must be dev or prod")
    )
    jwt_secret = fields.Str(
        data_key="JWT_SECRET",
        required=True,
        error_messages={"required": f"is missing: {HOW_TO_MAKE_ONE}"},
    )
    polka_key = fields.Str(
        data_key="POLKA_KEY",
        validate=Regexp(r"[!-~]+\Z", error="must be printable ASCII without spaces"),
    )
    polka_webhook_secrets = SigningKeys(data_key="POLKA_WEBHOOK_SECRETS")
    host = fields.Str(data_key="HOST")
    port = WholeNumber(1, 65535, data_key="PORT")
    workers = WholeNumber(1, 256, data_key="WORKERS")
    threads = WholeNumber(1, 256, data_key="THREADS")

    @validates("jwt_secret")
    def require_length(self, secret: str, **_: Any) -> None:
        if len(secret.encode()) < JWT_SECRET_BYTES:
            raise ValidationError(f"is shorter than {JWT_SECRET_BYTES} bytes: {HOW_TO_MAKE_ONE}")

    @validates_schema(pass_original=True, skip_on_field_errors=False)
    def require_polka_credentials(self, _: Any, given: dict[str, str], **__: Any) -> None:
        if not given.keys() & {"POLKA_KEY", "POLKA_WEBHOOK_SECRETS"}:
            raise ValidationError("is missing: set the key that Polka sends", "POLKA_KEY")

    @post_load
    def freeze(self, settings: dict[str, Any], **_: Any) -> Settings:
        return Settings(**settings)


def read_settings(dotenv: Path) -> Settings:
    """Return the settings of the environment; the file `dotenv` provides what it lacks.

    An empty value counts as unset. Raise SettingsError that names all that is missing or wrong.
    """
    try:
        found = dotenv_values(dotenv, interpolate=False) | os.environ
    except (OSError, UnicodeError) as error:
        problem = f"Chirpy cannot read {dotenv}: {error}.\nNext: correct or remove this file"
        raise SettingsError(problem) from None
    values = {name: value for name, value in found.items() if value}
    if "SECRET" in values:
        values.setdefault("JWT_SECRET", values["SECRET"])
    try:
        settings: Settings = SettingsSchema().load(values)
    except ValidationError as error:
        raise SettingsError(describe(error.messages_dict)) from None
    return settings


def describe(problems: dict[str, Any]) -> str:
    """Return one text with a line for each problem."""
    lines = [f"  {name} {problem}" for name, texts in problems.items() for problem in texts]
    return "\n".join(["Chirpy cannot start with these settings:", *lines])


def current_settings() -> Settings:
    """Return the settings of the current application."""
    settings: Settings = current_app.extensions[EXTENSION]
    return settings


def parse_whole_number(text: str, minimum: int, maximum: int) -> int:
    """Return the number in decimal digits. Raise ValidationError.

    `int()` alone also accepts 1_000, +1 and Arabic digits.
    """
    if not DIGITS.fullmatch(text) or not minimum <= int(text) <= maximum:
        raise ValidationError(f"must be a whole number from {minimum} to {maximum}")
    return int(text)


def signing_key(secret: str) -> bytes:
    """Return the key in a `whsec_` secret. Raise ValidationError that does not repeat it."""
    try:
        key = b64decode(secret.removeprefix("whsec_"), validate=True)
    except (Base64Error, ValueError):
        key = b""
    if not secret.startswith("whsec_") or len(key) not in SIGNING_KEY_BYTES:
        raise ValidationError("must be whsec_ and the base64 of 24 to 64 bytes")
    return key
