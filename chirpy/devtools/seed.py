"""`flask seed`: fill a development database with the small world that world.toml describes."""

import tomllib
from contextvars import Context
from pathlib import Path
from typing import Any

import click
from flask import current_app
from flask.cli import with_appcontext
from werkzeug.test import TestResponse

from chirpy.accounts import access_tokens
from chirpy.accounts.errors import WrongCredentials
from chirpy.accounts.login import verify_credentials
from chirpy.database.explanations import database_errors_explained
from chirpy.devtools.polka.events import Event
from chirpy.devtools.polka.receiver import Receiver
from chirpy.server.serving import url_to_open
from chirpy.settings import current_settings
from chirpy.web.request_log import POLL
from chirpy.webhooks import delivery_log

WORLD = tomllib.loads(Path(__file__).with_name("world.toml").read_text(encoding="utf-8"))
IN_PRODUCTION = "PLATFORM is prod, and everybody knows the passwords of these users"


@click.command()
@with_appcontext
@database_errors_explained()
def seed() -> None:
    """Add users, chirps and webhook events to try Chirpy with. A second run adds nothing."""
    if current_settings().platform != "dev":
        raise click.ClickException(f"{IN_PRODUCTION}.\nNext: set PLATFORM=dev in .env")
    user_ids = {email: find_or_sign_up(email, WORLD["password"]) for email in WORLD["users"]}
    for number, (email, text) in enumerate(WORLD["chirps"]):
        token = access_tokens.issue(user_ids[email], current_settings().jwt_secret)
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": f"seed-{number}"}
        post("/api/chirps", json={"body": text}, headers=headers)
    for event in WORLD["events"]:
        deliver_missing(str(user_ids[event["user"]]), **event)
    show()


def find_or_sign_up(email: str, password: str) -> Any:
    """Return the id of the user with this password, who signs up if there is none."""
    try:
        return verify_credentials(email, password)[0].id
    except WrongCredentials:
        return post("/api/users", json={"email": email, "password": password}).json["id"]


def deliver_missing(user_id: str, *, name: str, times: int, **event: str) -> None:
    """Deliver an event until it has this number of deliveries."""
    planned = Event(user_id, event["timestamp"], f"{name}-{user_id[:8]}", event["type"], {})
    known = delivery_log.find(planned.id)
    settings = current_settings()
    polka = Receiver("", settings.polka_key, *settings.polka_webhook_secrets[:1])
    for _ in range(times - (known.deliveries if known else 0)):
        headers = polka.headers(planned.body, planned.id)
        post("/api/polka/webhooks", data=planned.body, headers=headers)


def post(path: str, *, headers: dict[str, str] | None = None, **content: Any) -> Any:
    """Send this application a request, as any client does. Raise ClickException if it is refused.

    In a context of its own: within that of the command, the requests would share its session.
    """
    client = current_app.test_client()
    quiet = {POLL: "seed"} | (headers or {})
    response: TestResponse = Context().run(client.post, path, headers=quiet, **content)
    if response.status_code >= 400:
        answer = response.json or {}
        raise click.ClickException(f"POST {path}: {answer['error']}.\n{answer.get('hint', '')}")
    return response


def show() -> None:
    """Print who is there, and what to do next."""
    for email, about in WORLD["users"].items():
        click.echo(f"{email:18} {about}")
    click.echo(f"{len(WORLD['chirps'])} chirps, {len(WORLD['events'])} events in the delivery log")
    url = url_to_open(current_settings().host, current_settings().port)
    click.echo(f"The password of all users is {WORLD['password']}")
    click.echo(f"Next: open {url} while `make run` is running")
