"""Define `flask check URL`, which is also `python -m chirpy.check URL`."""

import os
import sys
from collections.abc import Iterator, Sequence
from typing import Any, TextIO

import click

from chirpy.check.client import Client
from chirpy.check.options import read_only, read_secrets, read_url
from chirpy.check.polka import COURSE_KEY, Polka
from chirpy.check.reports import count, text
from chirpy.check.reports.files import as_json, as_junit
from chirpy.check.results import Result, run
from chirpy.check.server import Server
from chirpy.check.suites import COURSE, RECEIVERS, select

CASES = click.Choice(["snake", "camel"])


@click.command()
@click.argument("url", callback=read_url)
@click.option("--webhooks", is_flag=True, help="Judge how webhooks are received.")
@click.option("--strict", is_flag=True, help="Check also what Chirpy promises beyond the course.")
@click.option("--only", default="", callback=read_only, help="Topics or chapters: users,chirps.")
@click.option("--case", type=CASES, default="snake", help="camel for the TypeScript edition.")
@click.option("--polka-key", help="ApiKey of Polka. Default: the course's, or POLKA_KEY.")
@click.option("--secret", multiple=True, callback=read_secrets, help="Sign with this whsec_….")
@click.option("--verbose", "-v", is_flag=True, help="Show the evidence of passed checks too.")
@click.option("--json", "to_json", is_flag=True, help="Print JSON instead of text.")
@click.option(
    "--junit", type=click.File("w", encoding="utf-8"), help="Write the results in JUnit's format."
)
@click.option("--yes", "-y", is_flag=True, help="Do not ask before the server is reset.")
def check(
    url: str, *, yes: bool, verbose: bool, to_json: bool, junit: TextIO | None, **options: Any
) -> None:
    """Judge the Chirpy server at URL: what the course demands, chapter by chapter.

    It can be written in any language. All data on it are deleted first, with POST /admin/reset.
    The exit code is 1 if a check does not pass. docs/check.md explains options and results.
    """
    coming = judge(url, **options)
    warning = f"This deletes all users and chirps on {url}"
    if yes:
        click.echo(warning, err=to_json)
    else:
        click.confirm(f"{warning}. Continue?", abort=True, err=to_json)
    results = list(coming) if to_json else text.show(coming, verbose=verbose)
    if junit:
        junit.write(as_junit(url, results))
    if to_json:
        click.echo(as_json(url, results))
    else:
        text.show_summary(results)
    passed, total = count(results)
    sys.exit(passed < total)


def judge(url: str, *, webhooks: bool, only: Sequence[str], **options: Any) -> Iterator[Result]:
    """Run the chosen checks on the server at `url`, and yield each result."""
    key = options["polka_key"]
    keys = [key] if key else [COURSE_KEY, *filter(None, [os.environ.get("POLKA_KEY")])]
    edition = {"camel": options["case"] == "camel", "strict": options["strict"]}
    server = Server(Client(url), Polka(*keys, secrets=options["secret"]), **edition)
    checks = select(RECEIVERS if webhooks else COURSE, only, **edition)
    if not checks:
        raise click.UsageError(f"--only {','.join(only)} leaves no check. Next: try --webhooks")
    return run(checks, server)
