"""Measure how many webhooks one Postgres takes by itself: `python -m benchmarks.primary`."""

import os
from collections import defaultdict
from itertools import product
from statistics import median

import click

from benchmarks.environment import cpu_seconds, run_postgres, run_server, settings
from benchmarks.report import write_section
from benchmarks.statements import Transaction, run_pgbench
from benchmarks.wrk import Load

SQL = """SELECT receive_event('<event_id>', NULL, 'user.upgraded', '<user_id>', now(),
    '{"event": "user.upgraded"}', sha256('<event_id>'))"""
CORES, CLIENTS, FSYNC = (1, 2), (1, 2, 16), ("on", "off")


@click.command(context_settings={"show_default": True})
@click.option("--seconds", default=2, help="Of each round.")
@click.option("--rounds", default=5, help="Of each line.")
@click.option("--save/--no-save", default=True, help="Write the table into the page.")
def main(seconds: int, rounds: int, save: bool) -> None:
    """Deliver new events to receive_event with pgbench, on one processor and on two."""
    lines = ["| Processors | Connections | Waits for the disk | events/s | Postgres CPU ms |"]
    lines.append("|---:|---:|---|---:|---:|")
    for cores in CORES:
        os.sched_setaffinity(0, range(cores))  # for Postgres and pgbench, which are started below
        with run_postgres() as database:
            with run_server(settings(database.url)):
                database.seed(1)  # after the migrations
            [[pid]] = database.execute(
                "SELECT split_part(pg_read_file('postmaster.pid'), E'\\n', 1)"
            )
            found = defaultdict[tuple[str, int], list[tuple[float, float]]](list)
            for _, fsync, clients in product(range(rounds), FSYNC, CLIENTS):
                database.execute(f"ALTER SYSTEM SET fsync = {fsync}")
                database.execute("SELECT pg_reload_conf()")
                before = cpu_seconds(int(pid))
                count, rate = run_pgbench(database, Transaction([SQL]), Load(seconds, clients, 1))[
                    :2
                ]
                cpu = 1000 * (cpu_seconds(int(pid)) - before) / count
                found[fsync, clients].append((rate, cpu))
        for (fsync, clients), measured in found.items():
            rate, cpu = map(median, zip(*measured, strict=True))
            waits = {"on": "yes", "off": "no"}[fsync]
            lines.append(f"| {cores} | {clients} | {waits} | {rate:,.0f} | {cpu:.2f} |")
    click.echo("\n".join(lines))
    if save:
        write_section("primary", [*lines, ""])


if __name__ == "__main__":
    main()
