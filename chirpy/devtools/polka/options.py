"""Read option values, and define the options that both commands share."""

import re
from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlsplit

import click

from chirpy.devtools.polka.receiver import Receiver
from chirpy.settings import current_settings
from chirpy.web.refused import Refused
from chirpy.web.strict_json import parse

LOOPBACK = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - a server may listen there


def printable(text: str) -> str:
    """Read text that a header or a URL can contain."""
    if not re.fullmatch("[!-~]+", text):
        raise click.BadParameter("must be printable ASCII characters without spaces")
    return text


def url(text: str) -> str:
    """Read an http or https URL."""
    parts = urlsplit(printable(text))
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.port == 0:
        raise click.BadParameter("must be a URL such as http://127.0.0.1:8080/api/polka/webhooks")
    return text


def change(text: str) -> tuple[str, Any]:
    """Read `path=value`; a value that is not JSON is text."""
    path, equals, value = text.partition("=")
    if not path or not equals:
        raise click.BadParameter("must be path=value, such as data.plan=gold")
    try:
        return path, parse(value.encode(errors="surrogateescape"))
    except Refused:
        return path, value


def receiver_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options of a receiver to a command, which gets a Receiver."""

    @click.option("--to", type=url, show_default="this Chirpy", help="URL of the receiver.")
    @click.option("--key", type=printable, show_default="POLKA_KEY", help="ApiKey to send.")
    @click.option("--sign/--no-sign", default=None, help="By default signed if a secret is set.")
    @wraps(command)
    def call(to: str | None, key: str | None, sign: bool | None, **rest: Any) -> None:
        settings = current_settings()
        secrets = settings.polka_webhook_secrets
        if sign and not secrets:
            raise click.UsageError("There is nothing to sign with. Next: set POLKA_WEBHOOK_SECRETS")
        signing_key = secrets[0] if secrets and sign is not False else None
        url = to or f"{own_root()}api/polka/webhooks"
        command(Receiver(url, key or settings.polka_key, signing_key), **rest)

    return call


def own_root() -> str:
    """Return the URL of this Chirpy on its own machine."""
    settings = current_settings()
    host = LOOPBACK.get(settings.host, settings.host)
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.port}/"
