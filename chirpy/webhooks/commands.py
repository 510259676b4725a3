"""`flask webhooks`: read the delivery log, and keep it small."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import click
from flask import json
from flask.cli import AppGroup

from chirpy.database.engine import db
from chirpy.database.explanations import database_errors_explained
from chirpy.webhooks import delivery_log
from chirpy.webhooks.delivery_log_schemas import dump_event
from chirpy.webhooks.models import OUTCOMES, WebhookEvent

UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
SPAN = re.compile(rf"(\d{{1,6}})([{''.join(UNITS)}])")

webhook_commands = AppGroup("webhooks", help="Read the delivery log, and keep it small.")


class Ago(click.ParamType[datetime]):
    """A moment: so long ago (`90d`, `12h`), or ISO 8601 (in UTC if it names no zone)."""

    name = "TIME"

    def convert(self, value: Any, param: Any, ctx: Any) -> datetime:
        try:
            if span := SPAN.fullmatch(value):
                return datetime.now(UTC) - timedelta(**{UNITS[span[2]]: int(span[1])})
            moment = datetime.fromisoformat(value)
        except (ValueError, OverflowError):
            self.fail(f"{value!r} is neither like 90d or 12h nor like 2026-01-31", param, ctx)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


@webhook_commands.command("list")
@click.option("--outcome", type=click.Choice(OUTCOMES))
@click.option("--type", "event_type", help="user.upgraded, …")
@click.option("--user", "user_id", type=click.UUID)
@click.option("--since", type=Ago(), help="First delivered since: 12h ago, or 2026-01-31.")
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1, 1000))
@click.option("--json", "as_json", is_flag=True, help="All of it, as GET /admin/webhooks has it.")
@database_errors_explained()
def list_events(as_json: bool, limit: int, **wanted: Any) -> None:
    """List events, newest first."""
    events, _ = delivery_log.list_page(limit, **wanted)
    if as_json:
        click.echo(json.dumps([dump_event(event) for event in events]))
    else:
        for event in events:
            click.echo(line(event))


@webhook_commands.command()
@click.argument("event_id")
@database_errors_explained()
def show(event_id: str) -> None:
    """Show one event, with its body as it came."""
    event = delivery_log.find(event_id)
    if event is None:
        raise click.ClickException(f"No event {event_id!r}. Next: flask webhooks list")
    for name, value in dump_event(event).items():
        click.echo(f"{name:19} {'' if value is None else value}")


@webhook_commands.command()
@click.option("--older-than", "before", type=Ago(), required=True, help="Such as 90d.")
@database_errors_explained()
def prune(before: datetime) -> None:
    """Delete the bodies of old events; the keys that tell a repeat stay."""
    pruned = 0
    for batch in delivery_log.prune(before):
        db.session.commit()
        pruned += batch
    click.echo(f"Pruned {pruned} bodies")


def line(event: WebhookEvent) -> str:
    """One event in one line."""
    shown = dump_event(event)
    times = f"{event.deliveries}×"
    columns = (shown["first_delivered_at"], f"{event.outcome:8}", f"{times:>5}", event.type)
    return "  ".join((*columns, shown["user_id"] or "-", event.event_id))
