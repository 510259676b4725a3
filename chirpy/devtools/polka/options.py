"""What the options of the commands mean."""

import re
from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any
from urllib.parse import urlsplit

import click

from chirpy.devtools.polka.receiver import Receiver
from chirpy.settings import Settings, current_settings
from chirpy.web.refused import Refused
from chirpy.web.strict_json import parse

PATH = "/api/polka/webhooks"
VISIBLE = re.compile(r"[!-~]+")  # what may stand in a header or a URL
ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - listened on, hence reached at

Command = Callable[..., None]


def delivered(*, attempts: int) -> Callable[[Command], Command]:
    """Give a command a `receiver` and how many `attempts` each delivery is worth."""

    def decorate(command: Command) -> Command:
        @click.option("--to", callback=url, show_default="this Chirpy", help="URL of the receiver.")
        @click.option("--key", callback=visible, show_default="POLKA_KEY", help="ApiKey to send.")
        @click.option(
            "--sign/--no-sign",
            default=None,
            show_default="sign if there is one",
            help="Sign with the first of POLKA_WEBHOOK_SECRETS.",
        )
        @click.option(
            "--attempts",
            default=attempts,
            type=click.IntRange(1, 100),
            help="How often to try before a delivery is given up.",
        )
        @wraps(command)
        def call(to: str | None, key: str | None, sign: bool | None, **given: Any) -> None:
            command(receiver=receiver(current_settings(), to, key, sign), **given)

        return call

    return decorate


def receiver(settings: Settings, to: str | None, key: str | None, sign: bool | None) -> Receiver:
    """Whom these options mean. Raises UsageError when there is nothing to sign with."""
    secrets = settings.polka_webhook_secrets
    if sign and not secrets:
        raise click.UsageError("There is nothing to sign with. Next: set POLKA_WEBHOOK_SECRETS")
    return Receiver(
        url=to or f"{root(settings)}{PATH}",
        api_key=key or settings.polka_key,
        signing_key=secrets[0] if secrets and sign is not False else None,
    )


def root(settings: Settings) -> str:
    """Where the server with these settings is reached from its own machine."""
    host = ANYWHERE.get(settings.host, settings.host)
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.port}"


def places(
    _context: click.Context, _option: click.Parameter, texts: Iterable[str]
) -> list[tuple[str, Any]]:
    """Read `path=value`s: a value is the JSON that it is, or else text."""
    pairs = [text.partition("=") for text in texts]
    if not all(path and equals for path, equals, _ in pairs):
        raise click.BadParameter("must be path=value, such as data.plan=gold")
    return [(path, json_or_text(value)) for path, _, value in pairs]


def json_or_text(text: str) -> Any:
    """The value of strict JSON, or the text itself."""
    try:
        return parse(text.encode(errors="surrogateescape"))
    except Refused:
        return text


def visible(_context: click.Context, _option: click.Parameter, text: str | None) -> str | None:
    """Refuse what no header can carry."""
    if text is not None and not VISIBLE.fullmatch(text):
        raise click.BadParameter("must be printable ASCII without blanks")
    return text


def url(context: click.Context, option: click.Parameter, text: str | None) -> str | None:
    """Refuse what is no http or https URL."""
    if visible(context, option, text) is None:
        return None
    try:
        parts = urlsplit(text)
        right = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        right = False
    if not right:
        raise click.BadParameter("must be a URL such as http://127.0.0.1:8080/api/polka/webhooks")
    return text
