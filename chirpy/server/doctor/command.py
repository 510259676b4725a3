"""Define `flask doctor`."""

import os
import sys
from collections.abc import Callable, Iterator
from functools import partial

import click
from flask.cli import with_appcontext

from chirpy.database.migration_state import MIGRATIONS
from chirpy.server.doctor.connection import examine_connection
from chirpy.server.doctor.findings import NOTE, OK, PROBLEM, UNCHECKED, Finding, guarded
from chirpy.server.doctor.machine import examine_clock, examine_ports
from chirpy.server.doctor.origins import Examined, examine
from chirpy.server.doctor.settings import examine_dotenv, examine_settings
from chirpy.web.control_characters import escape

DOTENV = MIGRATIONS.with_name(".env")
COLORS = {OK: "green", NOTE: "yellow", PROBLEM: "red", UNCHECKED: "yellow"}
Check = Callable[[], Iterator[Finding]]


@click.command()
@with_appcontext
def doctor() -> None:
    """Examine settings, this machine and the database, and name the next command for each problem.

    Runs also with settings that are wrong. Prints no secret. The exit code is 1 if Chirpy cannot
    run as it is.
    """
    problems = 0
    for title, checks in sections(examine(DOTENV, os.environ)).items():
        click.secho(f"\n{title}", bold=True)
        for name, check in checks.items():
            for finding in guarded(name, check):
                show(finding)
                problems += finding.state == PROBLEM
    count = "1 problem" if problems == 1 else f"{problems or 'no'} problems"
    click.secho(f"\n{count}", bold=True)
    sys.exit(problems > 0)


def sections(examined: Examined) -> dict[str, dict[str, Check]]:
    """Return all checks, by title and name."""
    return {
        "Settings": {
            ".env": partial(examine_dotenv, examined),
            "settings": partial(examine_settings, examined),
        },
        "This machine": {"port": partial(examine_ports, examined), "clock": examine_clock},
        "Database": {"database": partial(database, examined)},
    }


def database(examined: Examined) -> Iterator[Finding]:
    """Examine the database, if DB_URL, or PLATFORM without it, says which one."""
    wrong = [name for name, _ in examined.problems if name in {"DB_URL", "PLATFORM"}]
    if wrong and "db_url" not in examined.values:
        text = f"not checked, because of {' and '.join(wrong)}"
        return iter([Finding("database", text, UNCHECKED)])
    return examine_connection(examined.settings())


def show(finding: Finding) -> None:
    """Print a finding, and below it what to do."""
    mark = click.style(f"{finding.state:4}", fg=COLORS[finding.state])
    click.echo(f"  {mark} {finding.subject:26} {indent(finding.text)}")
    for number, step in enumerate(finding.steps):
        click.echo(f"       {'      ' if number else 'Next: '}{indent(step)}")


def indent(text: str) -> str:
    """Return a text whose further lines, as of libpq, stand below its first."""
    return escape(text.replace("\t", " "), keep="\n").replace("\n", "\n             ")
