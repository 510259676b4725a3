"""Everything the environment may tell Chirpy, read once and checked before anything starts."""

import os
from base64 import b64decode
from binascii import Error as Base64Error
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, cast

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

from chirpy.fields import WholeNumber

EXTENSION = "chirpy.settings"  # where the application keeps its settings
DRIVER = "postgresql+psycopg2"  # named: SQLAlchemy 2.1 reads a bare postgresql:// as psycopg 3
SCHEMES = {"postgres", "postgresql", DRIVER}
JWT_SECRET_BYTES = 32  # RFC 7518, 3.2: an HS256 key is at least as long as its hash
SIGNING_KEY_BYTES = range(24, 65)  # Standard Webhooks 1.0.0: 24 to 64 bytes
HOW_TO_MAKE_ONE = "try `python -c 'import secrets; print(secrets.token_hex(32))'`"
CPUS = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class SettingsError(Exception):
    """Settings are missing or wrong; the text names every one of them, and no value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What may differ from one deployment to the next.

    Without `db_url` a private local Postgres is started. `polka_webhook_secrets` are decoded keys,
    any of which may have signed. `workers` processes serve, with `threads` each: the default keeps
    their connections, two for each thread, below the 100 of a stock Postgres.
    """

    db_url: URL | None = field(repr=False, default=None)  # whose options may be secret
    platform: Literal["dev", "prod"] = "prod"
    jwt_secret: str = field(repr=False)
    polka_key: str | None = field(repr=False, default=None)
    polka_webhook_secrets: tuple[bytes, ...] = field(repr=False, default=())
    host: str = "127.0.0.1"
    port: int = 8080
    workers: int = min(CPUS, 8)
    threads: int = 4


class DatabaseUrl(fields.Field[URL]):
    """`postgres://…` or `postgresql://…`, as people write it."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> URL:
        try:
            url = make_url(value)
        except (ArgumentError, ValueError):
            raise ValidationError("write it as postgres://user:password@host:5432/name") from None
        if url.drivername not in SCHEMES:
            raise ValidationError("must start with postgres:// or postgresql://")
        if password := url.query.get("password"):  # shown in clear there
            url = url.set(password=str(password)).difference_update_query(["password"])
        return url.set(drivername=DRIVER)


class SigningKeys(fields.Field[tuple[bytes, ...]]):
    """`whsec_` and base64, several with commas or blanks between them while one is rolled."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> tuple[bytes, ...]:
        return tuple(signing_key(secret) for secret in value.replace(",", " ").split())


class SettingsSchema(Schema):
    """The settings by the names they have in the environment."""

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
        validate=Regexp(r"[!-~]+\Z", error="must be printable ASCII without blanks"),
    )
    polka_webhook_secrets = SigningKeys(data_key="POLKA_WEBHOOK_SECRETS")
    host = fields.Str(data_key="HOST")
    port = WholeNumber(1, 65535, data_key="PORT")
    workers = WholeNumber(1, 256, data_key="WORKERS")
    threads = WholeNumber(1, 256, data_key="THREADS")

    @validates("jwt_secret")
    def long_enough(self, secret: str, **_: Any) -> None:
        if len(secret.encode()) < JWT_SECRET_BYTES:
            raise ValidationError(f"is shorter than {JWT_SECRET_BYTES} bytes: {HOW_TO_MAKE_ONE}")

    @validates_schema(pass_original=True, skip_on_field_errors=False)
    def polka_can_prove_itself(self, _: Any, given: dict[str, str], **__: Any) -> None:
        if not given.keys() & {"POLKA_KEY", "POLKA_WEBHOOK_SECRETS"}:
            raise ValidationError("is missing: set the key that Polka sends", "POLKA_KEY")

    @post_load
    def freeze(self, settings: dict[str, Any], **_: Any) -> Settings:
        return Settings(**settings)


def read_settings(dotenv: Path) -> Settings:
    """Read the environment, and from the file `dotenv` what it lacks; blank is as good as unset.

    Raises SettingsError, which names all that is missing or wrong.
    """
    try:
        found = dotenv_values(dotenv, interpolate=False) | os.environ
    except (OSError, UnicodeError) as error:
        problem = f"Chirpy can't read {dotenv}: {error}.\nNext: mend or remove it"
        raise SettingsError(problem) from None
    given = {name: value for name, value in found.items() if value}
    if "SECRET" in given:
        given.setdefault("JWT_SECRET", given["SECRET"])
    try:
        return cast("Settings", SettingsSchema().load(given))
    except ValidationError as error:
        wrong = cast("dict[str, list[str]]", error.messages)
        lines = [f"  {name} {problem}" for name, problems in wrong.items() for problem in problems]
        raise SettingsError(
            "\n".join(["Chirpy can't start with these settings:", *lines])
        ) from None


def current_settings() -> Settings:
    """The settings of the application that answers this request."""
    return cast("Settings", current_app.extensions[EXTENSION])


def signing_key(secret: str) -> bytes:
    """Decode one `whsec_` secret; raises ValidationError, which does not repeat it."""
    try:
        key = b64decode(secret.removeprefix("whsec_"), validate=True)
    except (Base64Error, ValueError):
        key = b""
    if not secret.startswith("whsec_") or len(key) not in SIGNING_KEY_BYTES:
        raise ValidationError("must be whsec_ and the base64 of 24 to 64 bytes")
    return key
