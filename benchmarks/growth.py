"""Compare Chirpy with small and large tables: `python -m benchmarks.growth`."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

import click

from benchmarks.api import Target
from benchmarks.cases import CASES
from benchmarks.compare import compare, running_servers
from benchmarks.environment import CHIRP_IDS, USER_IDS, run_postgres, run_server, settings
from benchmarks.report import print_table, write_section
from benchmarks.wrk import Load, require_wrk

NAMES = ("one chirp", "list 100", "list next page", "webhook new", "webhook repeated")


@click.command(context_settings={"show_default": True})
@click.option("--rows", multiple=True, default=[1_000, 100_000, 1_000_000], help="In each table.")
@click.option("--rounds", default=7, help="Of a second, for each case and size.")
@click.option("--save/--no-save", default=True, help="Write the table into the page.")
def main(rows: Sequence[int], rounds: int, save: bool) -> None:
    """Compare Chirpy with small and large tables, each over one connection."""
    require_wrk()
    cases = [CASES[name] for name in NAMES]
    with ExitStack() as stack:
        targets = {f"{size:,} rows": stack.enter_context(run_chirpy(size)) for size in rows}
        contenders = running_servers(targets)
        lines, _ = print_table(contenders, compare(contenders, cases, Load(1, 1, rounds)))
    if save:
        write_section("growth", [*lines, ""])


@contextmanager
def run_chirpy(rows: int) -> Iterator[Target]:
    """Run Chirpy on a Postgres of its own with so many rows in each table."""
    with run_postgres() as database:
        environment = settings(database.url)
        with run_server(environment) as (url, _):
            database.seed(rows)
            key = environment["POLKA_KEY"]
            yield Target(url, key, "user_id", [], USER_IDS, CHIRP_IDS[:rows])


if __name__ == "__main__":
    main()
