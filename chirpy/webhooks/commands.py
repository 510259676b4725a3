"""`flask webhooks`: read and prune the delivery log."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import click
from flask import json
from flask.cli import AppGroup

from chirpy.database.batches import commit_each
from chirpy.database.explanations import database_errors_explained
from chirpy.web.control_characters import escape
from chirpy.web.time_option import TimeOption
from chirpy.webhooks import delivery_log, pruning
from chirpy.webhooks.delivery_log_schemas import dump_event
from chirpy.webhooks.models import OUTCOMES, WebhookEvent

COLUMNS = {  # of the list: the heading, and the field of the event
    "FIRST DELIVERED": "first_delivered_at",
    "OUTCOME": "outcome",
    "DELIVERIES": "deliveries",
    "BODY": "body",
    "TYPE": "type",
    "USER": "user_id",
    "EVENT ID": "event_id",
}
KEPT_IN_BODY = "\n\t"  # between the members of JSON; its strings cannot have them

webhook_commands = AppGroup("webhooks", help="Read and prune the delivery log.")


@webhook_commands.command("list")
@click.option("--outcome", type=click.Choice(OUTCOMES))
@click.option("--type", "event_type", help="user.upgraded, …")
@click.option("--user", "user_id", type=click.UUID)
@click.option("--since", type=TimeOption(), help="First delivered since then: 12h, or 2026-01-31.")
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1, 1000))
@click.option("--json", "as_json", is_flag=True, help="Print what GET /admin/webhooks returns.")
@database_errors_explained()
def list_events(as_json: bool, limit: int, **filters: Any) -> None:
    """List events, newest first."""
    events, _ = delivery_log.list_page(limit, **filters)
    if as_json:
        click.echo(escape(json.dumps([dump_event(event) for event in events])))
    elif events:
        click.echo(format_table([list(COLUMNS), *map(row_of, events)]))
    else:
        is_filtered = any(value is not None for value in filters.values())
        click.echo("No event matches" if is_filtered else "The delivery log is empty", err=True)


@webhook_commands.command()
@click.argument("event_id")
@database_errors_explained()
def show(event_id: str) -> None:
    """Show one event, with its body as it was received."""
    event = delivery_log.find(event_id)
    if event is None:
        raise click.ClickException(f"No event {event_id!r}. Next: flask webhooks list")
    nothing = {"body": "(pruned)"}
    for name, value in dump_event(event).items():
        text = nothing.get(name, "-") if value is None else str(value)
        click.echo(f"{name:19} {escape(text, keep=KEPT_IN_BODY if name == 'body' else '')}")


@webhook_commands.command()
@click.option(
    "--older-than", "before", type=TimeOption(past=True), required=True, help="90d, or 2026-01-31."
)
@database_errors_explained()
def prune(before: datetime) -> None:
    """Delete the bodies of old events. Duplicates are still detected."""
    total = commit_each(pruning.prune(before))
    click.echo(f"Pruned {total} {'body' if total == 1 else 'bodies'}")


def row_of(event: WebhookEvent) -> Sequence[str]:
    """Return the event as a row of the list."""
    entry = dump_event(event) | {"body": "pruned" if event.body is None else "stored"}
    return ["-" if entry[name] is None else escape(str(entry[name])) for name in COLUMNS.values()]


def format_table(rows: Sequence[Sequence[str]]) -> str:
    """Return the rows as lines with aligned columns."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)
