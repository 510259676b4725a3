"""Define `flask polka send` and `flask polka storm`."""

import sys
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from secrets import randbelow
from typing import Any
from uuid import uuid4

import click
from flask.cli import AppGroup

from chirpy.database.explanations import database_errors_explained
from chirpy.devtools.polka import options
from chirpy.devtools.polka.delivery import deliver
from chirpy.devtools.polka.judges import DatabaseJudge, HttpJudge
from chirpy.devtools.polka.receiver import Receiver, compose
from chirpy.devtools.polka.storm import deliver_all, plan as make_plan
from chirpy.settings import current_settings
from chirpy.webhooks.schemas import EVENT_ID_HEADER

COUNT, THREADS, ATTEMPTS = click.IntRange(1), click.IntRange(1, 256), click.IntRange(1, 100)
NEW_SEED = partial(randbelow, 2**32)
SHOW = {"show_default": True}
SHOWN = 10  # differences; more are rarely of another kind
VERIFY = """
--verify database, the default for this Chirpy, implies --mixed. It compares the rows: each event
once, each delivery counted, each user as after their last event. Then it deletes users and events.

--verify http, the default for other servers, needs no database. It makes users by POST /api/users,
who stay there, and reads is_chirpy_red by POST /api/login. In the course only user.upgraded has an
effect, and events have no time: so half of the users get only upgrades and must be red, the others
get only downgrades and must not. With --mixed a user gets both, and the last event by timestamp
must count, in any order of arrival; if several events have that timestamp, any of them.
"""

polka = AppGroup("polka", help="Act as Polka, the payment provider.", context_settings=SHOW)


def now() -> str:
    """Return the time in ISO 8601."""
    return datetime.now(UTC).isoformat()


@polka.command()
@click.argument("event")
@click.argument("user_id")
@click.option("--id", "event_id", default=uuid4, show_default="a new id", help="Id of the event.")
@click.option("--no-id", "event_id", flag_value="", show_default=False, help="Send no id.")
@click.option("--timestamp", default=now, show_default="now", help="Time of the event, ISO 8601.")
@click.option("--no-timestamp", "timestamp", flag_value="", show_default=False, help="Send none.")
@click.option("--set", "changes", multiple=True, type=options.change, metavar="PATH=VALUE")
@click.option("--times", default=1, type=THREADS, help="Deliver the same event so many times.")
@click.option("--concurrent", is_flag=True, help="Make these deliveries concurrently.")
@click.option("--attempts", default=5, type=ATTEMPTS, help="Attempts of each delivery.")
@options.receiver_options
def send(receiver: Receiver, times: int, concurrent: bool, attempts: int, **event: Any) -> None:
    """Deliver an EVENT, such as user.upgraded or user.downgraded, about the user USER_ID.

    A delivery without a 2xx is sent again after 0.5, 1, 2, 4, … seconds, or when Retry-After says.
    The exit code is 0 if every delivery was acknowledged. --no-id and --no-timestamp together make
    the course's form of an event. --set, as in --set data.plan=gold, changes any of its members.
    """
    message = compose(**event)
    if receiver.signing_key and not EVENT_ID_HEADER.fullmatch(message.id):
        raise click.UsageError(
            "A signature needs an id of 1 to 255 printable ASCII characters without spaces and "
            "dots. Next: --no-sign, or another --id"
        )
    click.echo(f"POST {receiver.url} {message.body.decode()}")
    concurrency = times if concurrent else 1
    sent = deliver(receiver, [message] * times, attempts=attempts, concurrency=concurrency)
    given_up = False
    with closing(sent):
        for attempt in sent:
            click.echo(attempt)
            given_up |= attempt.given_up
    sys.exit(given_up)


@polka.command(epilog=VERIFY)
@click.option("--users", default=100, type=COUNT, help="Users to make.")
@click.option("--events", default=1000, type=COUNT, help="Upgrades and downgrades of the users.")
@click.option("--repeats", default=3, type=COUNT, help="Deliveries of each event.")
@click.option("--shuffle/--no-shuffle", default=True, help="Deliver in random order.")
@click.option("--concurrency", default=16, type=THREADS, help="Concurrent deliveries.")
@click.option("--attempts", default=8, type=ATTEMPTS, help="Attempts of each delivery.")
@click.option("--seed", type=int, default=NEW_SEED, show_default="random", help="Repeat a plan.")
@click.option("--keep", is_flag=True, help="Leave users and events in the database.")
@click.option("--verify", type=click.Choice(["http", "database"]), help="See below.")
@click.option("--mixed/--no-mixed", default=None, help="See below.")
@options.receiver_options
def storm(receiver: Receiver, users: int, keep: bool, verify: str | None, **plan: Any) -> None:
    """Deliver many events, several times and concurrently, then check the result.

    Kill workers or restart Postgres meanwhile: a delivery without a 2xx is sent again. The exit
    code is 0 if every delivery was acknowledged and the check finds no difference.
    """
    if current_settings().platform != "dev":
        raise click.ClickException("A storm makes users. Next: set PLATFORM=dev")
    is_own = receiver.url.replace("//localhost:", "//127.0.0.1:").startswith(options.own_root())
    uses_database = verify == "database" or (is_own and not verify)
    plan["mixed"] = uses_database if plan["mixed"] is None else plan["mixed"]
    judge = DatabaseJudge(keep) if uses_database else HttpJudge(receiver.url)
    limits = {name: plan.pop(name) for name in ("attempts", "concurrency")}
    with database_errors_explained(), judge.users(users) as user_ids:
        events, messages = make_plan(user_ids, **plan)
        signed = "signed" if receiver.signing_key else "not signed"
        amount = f"{len(messages)} deliveries of {len(events)} events, {signed}"
        click.echo(f"{amount}, to {receiver.url} (--seed {plan['seed']})")
        answers = deliver_all(receiver, messages, **limits)
        found = list(judge.differences(events, answers))
    click.echo("\n  ".join([f"{len(found) or 'no'} differences in {judge.scope}", *found[:SHOWN]]))
    sys.exit(bool(found))
