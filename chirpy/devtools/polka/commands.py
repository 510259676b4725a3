"""Define `flask polka send` and `flask polka storm`."""

import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial, wraps
from secrets import randbelow
from typing import Any
from uuid import uuid4

import click
from flask.cli import AppGroup

from chirpy.database.explanations import database_errors_explained
from chirpy.devtools.polka.delivery import deliver, deliver_with_progress
from chirpy.devtools.polka.events import TYPES, Event, plan_storm
from chirpy.devtools.polka.judges import database_judge, http_judge
from chirpy.devtools.polka.receiver import Receiver
from chirpy.server.serving import url_to_open
from chirpy.settings import current_settings
from chirpy.web.control_characters import escape
from chirpy.webhooks.schemas import EVENT_ID_HEADER

COUNT, THREADS, ATTEMPTS = click.IntRange(1), click.IntRange(1, 256), click.IntRange(1, 100)
NEW_SEED = partial(randbelow, 2**32)

polka = AppGroup("polka", help="Act as Polka.", context_settings={"show_default": True})


def receiver_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options of a receiver to a command, which gets a Receiver."""

    @click.option("--to", show_default="this Chirpy", help="URL of the receiver.")
    @click.option("--key", show_default="POLKA_KEY", help="ApiKey to send.")
    @click.option("--no-sign", is_flag=True, help="Do not sign with POLKA_WEBHOOK_SECRETS.")
    @wraps(command)
    def call(to: str | None, key: str | None, no_sign: bool, **rest: Any) -> None:
        settings = current_settings()
        url = to or f"{url_to_open(settings.host, settings.port)}/api/polka/webhooks"
        secrets = () if no_sign else settings.polka_webhook_secrets
        command(Receiver(url, key or settings.polka_key, *secrets[:1]), **rest)

    return call


@polka.command()
@click.argument("type", metavar="EVENT")
@click.argument("user_id")
@click.option("--id", default=uuid4, show_default="a new id", help="Id of the event.")
@click.option("--no-id", "id", flag_value="", show_default=False, help="Send no id.")
@click.option("--timestamp", show_default="now", help="Time of the event, ISO 8601.")
@click.option("--no-timestamp", "timestamp", flag_value="", show_default=False, help="Send none.")
@click.option("--data", default="{}", type=json.loads, metavar="JSON", help="More members of data.")
@click.option("--times", default=1, type=THREADS, help="Deliver the same event this many times.")
@click.option("--concurrent", is_flag=True, help="Make these deliveries concurrently.")
@click.option("--attempts", default=5, type=ATTEMPTS, help="Attempts of each delivery.")
@receiver_options
def send(receiver: Receiver, times: int, concurrent: bool, attempts: int, **event: Any) -> None:
    """Deliver an EVENT, such as user.upgraded or user.downgraded, about the user USER_ID.

    A delivery without a 2xx is sent again after 0.5, 1, 2, 4, … seconds, or when Retry-After says.
    The exit code is 0 if every delivery was acknowledged. --no-id and --no-timestamp together make
    the course's form of an event.
    """
    if receiver.signing_key and not EVENT_ID_HEADER.fullmatch(event["id"]):
        raise click.UsageError("No header can carry this id. Next: --no-sign, or another --id")
    if event["timestamp"] is None:
        event["timestamp"] = datetime.now(UTC).isoformat()
    if event["type"] not in TYPES:
        click.echo(f"Warning: unknown event; Chirpy knows {' and '.join(TYPES)}", err=True)
    events = [Event(**event)] * times
    click.echo(f"POST {receiver.url} {events[0].body.decode()}")
    given_up = False
    for attempt in deliver(receiver, events, attempts, concurrency=times if concurrent else 1):
        click.echo(attempt.text)
        given_up |= attempt.given_up
    sys.exit(given_up)


@polka.command()
@click.option("--users", default=100, type=COUNT, help="Users to make.")
@click.option("--events", default=1000, type=COUNT, help="Upgrades and downgrades of the users.")
@click.option("--repeats", default=3, type=COUNT, help="Deliveries of each event.")
@click.option("--shuffle/--no-shuffle", default=True, help="Deliver in random order.")
@click.option("--concurrency", default=16, type=THREADS, help="Concurrent deliveries.")
@click.option("--attempts", default=8, type=ATTEMPTS, help="Attempts of each delivery.")
@click.option("--seed", type=int, default=NEW_SEED, show_default="random", help="Repeat a plan.")
@click.option("--keep", is_flag=True, help="Leave users and events in the database.")
@click.option("--verify", type=click.Choice(["http", "database"]), help="Way to check the result.")
@click.option("--mixed", is_flag=True, help="With http, upgrade and downgrade the same users.")
@receiver_options
def storm(
    receiver: Receiver, users: int, attempts: int, concurrency: int, keep: bool, **plan: Any
) -> None:
    """Deliver many events, several times and concurrently, then check the result.

    Kill workers or restart Postgres meanwhile: a delivery without a 2xx is sent again. The exit
    code is 0 if every delivery was acknowledged and the check finds no difference. By default,
    --verify is http with --to, otherwise database. docs/polka.md describes both.
    """
    if current_settings().platform != "dev":
        raise click.ClickException("A storm makes users. Next: set PLATFORM=dev")
    is_own = click.get_current_context().params["to"] is None
    verify = plan.pop("verify") or ("database" if is_own else "http")
    by_rows = verify == "database"
    plan["mixed"] |= by_rows
    judge = database_judge(keep, users) if by_rows else http_judge(receiver.url, users)
    with database_errors_explained(), judge as (user_ids, differences):
        events, deliveries = plan_storm(user_ids, **plan)
        click.echo(f"{len(deliveries)} deliveries to {receiver.url} (--seed {plan['seed']})")
        answers = deliver_with_progress(receiver, deliveries, attempts, concurrency)
        found = list(differences(events, answers))
    count = "1 difference" if len(found) == 1 else f"{len(found) or 'no'} differences"
    click.echo("\n  ".join([f"{count} (--verify {verify})", *map(escape, found[:10])]))
    sys.exit(bool(found))
