"""`flask tokens`: delete what no login needs any more."""

from datetime import datetime

import click
from flask.cli import AppGroup

from chirpy.accounts import pruning
from chirpy.database.batches import commit_each
from chirpy.database.engine import db
from chirpy.database.explanations import database_errors_explained
from chirpy.web.time_option import TimeOption

token_commands = AppGroup("tokens", help="Prune refresh tokens.")


@token_commands.command()
@click.option(
    "--older-than",
    "before",
    type=TimeOption(past=True),
    default="30d",
    show_default=True,
    help="Keep tokens that ended since then: 90d, or 2026-01-31.",
)
@database_errors_explained()
def prune(before: datetime) -> None:
    """Delete expired and revoked refresh tokens, and old counters of the limits."""
    total = commit_each(pruning.prune_tokens(before))
    counters = pruning.prune_counters()
    db.session.commit()
    click.echo(f"Pruned {total} refresh tokens and {counters} counters")
