"""Read the URL and the options of the command. Each mistake is named before anything is sent."""

from base64 import b64decode
from urllib.parse import urlsplit

import click

from chirpy.check.delivering import PATH
from chirpy.check.suites import COURSE, RECEIVERS, topics


def read_url(_context: click.Context, _option: click.Parameter, url: str) -> str:
    """Return the URL of the server, without a `/` at its end, or the path of its webhooks."""
    url = url if "://" in url else f"http://{url}"
    try:
        parts = urlsplit(url)
        is_good = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:  # a wrong port
        is_good = False
    if not is_good or parts.query or parts.fragment or parts.username or not url.isascii():
        raise click.BadParameter("it must look like http://localhost:8080")
    return url.rstrip("/").removesuffix(PATH)


def read_only(_context: click.Context, _option: click.Parameter, words: str) -> list[str]:
    """Return the chosen topics and chapters."""
    chosen = [word.strip().lower() for word in words.split(",") if word.strip()]
    known = topics((*COURSE, *RECEIVERS))
    if unknown := [word for word in chosen if word not in known]:
        raise click.BadParameter(f"{', '.join(unknown)} is none of {', '.join(known)}")
    return chosen


def read_secrets(
    _context: click.Context, _option: click.Parameter, secrets: tuple[str, ...]
) -> tuple[str, ...]:
    """Return the secrets if they are base64."""
    for secret in secrets:
        try:
            b64decode(secret.removeprefix("whsec_"), validate=True)
        except ValueError:
            raise click.BadParameter("it must look like whsec_ and base64") from None
    return secrets
