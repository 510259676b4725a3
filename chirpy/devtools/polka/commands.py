"""`flask polka`: deliver one event, or a storm of them."""

import secrets
import sys
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from time import monotonic
from typing import Any

import click
from flask.cli import AppGroup

from chirpy.database.explanations import database_errors_explained as trouble_explained
from chirpy.devtools.polka import options, reports
from chirpy.devtools.polka.crowd import crowd
from chirpy.devtools.polka.delivery import Round
from chirpy.devtools.polka.messages import Message, compose, new_id
from chirpy.devtools.polka.receiver import Receiver
from chirpy.devtools.polka.storm import Tallies, plan
from chirpy.devtools.polka.verdict import differences
from chirpy.settings import current_settings
from chirpy.webhooks.schemas import EVENT_ID_HEADER

COUNT = click.IntRange(min=1)
THREADS = click.IntRange(1, 256)  # each with a connection of its own

polka = AppGroup(
    "polka", help="Play Polka, the payment provider.", context_settings={"show_default": True}
)


def now() -> str:
    """The time in ISO 8601."""
    return datetime.now(UTC).isoformat()


def new_seed() -> int:
    """A seed that is easily typed again."""
    return secrets.randbelow(2**32)


@polka.command()
@click.argument("event")
@click.argument("user_id")
@click.option("--id", "event_id", default=new_id, show_default="a new one", help="Id of the event.")
@click.option("--no-id", "event_id", flag_value="", show_default=False, help="Send no id.")
@click.option("--timestamp", default=now, show_default="now", help="When it happened, in ISO 8601.")
@click.option(
    "--no-timestamp", "timestamp", flag_value="", show_default=False, help="Send no time."
)
@click.option(
    "--set",
    "places",
    multiple=True,
    metavar="PATH=VALUE",
    callback=options.places,
    help="Set any place of the JSON, as in data.plan=gold; may be repeated.",
)
@click.option("--times", default=1, type=THREADS, help="Deliver the same event so many times.")
@click.option("--at-once", is_flag=True, help="All of these times at the same moment.")
@options.delivered(attempts=5)
def send(receiver: Receiver, attempts: int, times: int, at_once: bool, **event: Any) -> None:
    """Deliver an EVENT, such as user.upgraded or user.downgraded, about the user USER_ID.

    Whatever is not answered with a 2xx is sent again after 0.5, 1, 2, 4, … seconds, or when
    Retry-After says. The exit code is 0 if every delivery was acknowledged. --no-id and
    --no-timestamp together make the course's form of an event.
    """
    message = compose(**event)
    require_signable(message, receiver)
    click.echo(f"POST {receiver.url} {message.body.decode()}")
    given_up = False
    sents = Round([message] * times, receiver, attempts, times if at_once else 1).go()
    with closing(sents):
        for sent in sents:
            click.echo(reports.line(sent))
            given_up |= sent.given_up
    sys.exit(given_up)


def require_signable(message: Message, receiver: Receiver) -> None:
    """Raise UsageError for an id that no signature can speak of."""
    if receiver.signing_key and not EVENT_ID_HEADER.fullmatch(message.event_id or ""):
        raise click.UsageError(
            "A signature needs an id of 1 to 255 printable ASCII characters without blanks and "
            "dots. Next: --no-sign, or another --id"
        )


@polka.command()
@click.option("--users", default=100, type=COUNT, help="Users to make for it.")
@click.option("--events", default=1000, type=COUNT, help="Upgrades and downgrades of theirs.")
@click.option("--repeats", default=3, type=COUNT, help="Deliveries of each event.")
@click.option("--shuffle/--no-shuffle", default=True, help="In any order, or event by event.")
@click.option("--concurrency", default=16, type=THREADS, help="Deliveries at the same moment.")
@click.option("--seed", type=int, default=new_seed, show_default="random", help="Plan it again.")
@click.option("--keep", is_flag=True, help="Leave its users and events in the database.")
@options.delivered(attempts=8)
def storm(
    receiver: Receiver, attempts: int, concurrency: int, users: int, keep: bool, **size: Any
) -> None:
    """Deliver many events, several times and at once, and check what came of it.

    Kill workers or restart Postgres meanwhile: whatever was not acknowledged is sent again. Then
    the database must hold each event once and each user's last state. The exit code is 0 if it
    does. The storm makes users of its own, and removes all that is theirs.
    """
    if current_settings().platform != "dev":
        raise click.ClickException("A storm makes users: start it with PLATFORM=dev")
    run = f"storm-{secrets.token_hex(4)}"
    with trouble_explained(), crowd(run, users, keep) as user_ids:
        planned = plan(run, user_ids, **size)
        click.echo(reports.headline(run, planned, receiver, size["seed"]))
        tallies = blow(planned.messages, receiver, attempts, concurrency)
        all_right = reports.verdict(differences(user_ids, planned, tallies))
    sys.exit(not all_right)


def blow(
    messages: Sequence[Message], receiver: Receiver, attempts: int, concurrency: int
) -> Tallies:
    """Send it all, with the progress and the latest failure on stderr, and print what was seen.

    Once one delivery is given up, the others are too.
    """
    began, tallies = monotonic(), Tallies()
    sents = Round(messages, receiver, attempts, concurrency).go()
    with closing(sents), reports.progress(len(messages)) as show:
        for sent in sents:
            tallies.count(sent)
            show(sent)
            if sent.given_up:
                break
    for line in reports.summary(tallies, len(messages), monotonic() - began):
        click.echo(line)
    return tallies
