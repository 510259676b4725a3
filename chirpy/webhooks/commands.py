"""`flask webhooks`: read and prune the delivery log."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import click
from flask import json
from flask.cli import AppGroup

from chirpy.database.engine import db
from chirpy.database.explanations import database_errors_explained
from chirpy.webhooks import delivery_log, pruning
from chirpy.webhooks.delivery_log_schemas import dump_event
from chirpy.webhooks.models import OUTCOMES, WebhookEvent

UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
AGE = re.compile(rf"(\d{{1,6}})([{''.join(UNITS)}])")

webhook_commands = AppGroup("webhooks", help="Read and prune the delivery log.")


class PastTime(click.ParamType[datetime]):
    """A time: an age such as `90d` or `12h`, or ISO 8601, in UTC if it has no zone."""

    name = "TIME"

    def convert(self, value: Any, param: Any, ctx: Any) -> datetime:
        try:
            if age := AGE.fullmatch(value):
                return datetime.now(UTC) - timedelta(**{UNITS[age[2]]: int(age[1])})
            time = datetime.fromisoformat(value)
        except (ValueError, OverflowError):
            self.fail(
                f"{value!r} is neither an age such as 90d or 12h nor a time such as 2026-01-31",
                param,
                ctx,
            )
        return time if time.tzinfo else time.replace(tzinfo=UTC)


@webhook_commands.command("list")
@click.option("--outcome", type=click.Choice(OUTCOMES))
@click.option("--type", "event_type", help="user.upgraded, …")
@click.option("--user", "user_id", type=click.UUID)
@click.option("--since", type=PastTime(), help="First delivered since then: 12h, or 2026-01-31.")
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1, 1000))
@click.option("--json", "as_json", is_flag=True, help="Print what GET /admin/webhooks returns.")
@database_errors_explained()
def list_events(as_json: bool, limit: int, **filters: Any) -> None:
    """List events, newest first."""
    events, _ = delivery_log.list_page(limit, **filters)
    if as_json:
        click.echo(json.dumps([dump_event(event) for event in events]))
    else:
        for event in events:
            click.echo(format_event(event))


@webhook_commands.command()
@click.argument("event_id")
@database_errors_explained()
def show(event_id: str) -> None:
    """Show one event, with its body as it was received."""
    event = delivery_log.find(event_id)
    if event is None:
        raise click.ClickException(f"No event {event_id!r}. Next: flask webhooks list")
    for name, value in dump_event(event).items():
        click.echo(f"{name:19} {'' if value is None else value}")


@webhook_commands.command()
@click.option("--older-than", "before", type=PastTime(), required=True, help="90d, or 2026-01-31.")
@database_errors_explained()
def prune(before: datetime) -> None:
    """Delete the bodies of old events. Duplicates are still detected."""
    total = 0
    for pruned in pruning.prune(before):
        db.session.commit()
        total += pruned
    click.echo(f"Pruned {total} bodies")


def format_event(event: WebhookEvent) -> str:
    """Return the event as one line of the list."""
    entry = dump_event(event)
    deliveries = f"{event.deliveries}×"
    columns = (entry["first_delivered_at"], f"{event.outcome:8}", f"{deliveries:>5}", event.type)
    return "  ".join((*columns, entry["user_id"] or "-", event.event_id))
