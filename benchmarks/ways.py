"""What each way of running one statement costs: `make bench-ways`.

The threads of one process look chirps up by their ids, each way in turn. psycopg2 on a connection
of each thread's own, with nothing around it, is the bound.
"""

from collections.abc import Callable
from itertools import cycle
from statistics import median
from threading import Barrier, Thread, local
from time import monotonic, process_time
from typing import Any, NamedTuple
from uuid import UUID

import click
from flask import Flask

from benchmarks import growing
from benchmarks.house import THREADS, House, house
from benchmarks.servers import stopped_tidily
from chirpy import create_app
from chirpy.chirps.chirping import FIND
from chirpy.database import db
from chirpy.settings import SettingsSchema
from chirpy.statements import alone, connect, sql_of

CHIRPS = 1000
threads = local()

Way = Callable[[UUID], object]


class Paid(NamedTuple):
    """What one way did in a round, and the CPU of this process for one statement."""

    per_second: float
    cpu_us: float


def by_session(chirp_id: UUID) -> object:
    """As a request that uses `db.session`, which ends with it."""
    found = db.session.execute(FIND, {"id": chirp_id}).all()
    db.session.remove()
    return found


def by_core(chirp_id: UUID) -> object:
    """SQLAlchemy without a session, each statement committing itself."""
    autocommitting = db.engine.execution_options(isolation_level="AUTOCOMMIT")
    with autocommitting.connect() as connection:
        return connection.execute(FIND, {"id": chirp_id}).all()


def by_pool(chirp_id: UUID) -> object:
    """psycopg2 on a connection of SQLAlchemy's pool."""
    pooled = db.engine.raw_connection()
    connection: Any = pooled.dbapi_connection
    connection.autocommit = True
    try:
        return fetch(connection, chirp_id)
    finally:
        connection.autocommit = False
        pooled.close()


def by_alone(chirp_id: UUID) -> object:
    """As Chirpy does."""
    return alone(FIND, {"id": chirp_id})


def by_psycopg2(chirp_id: UUID) -> object:
    """The least that there is to do."""
    if not hasattr(threads, "connection"):
        threads.connection = connect()
    return fetch(threads.connection, chirp_id)


def fetch(connection: Any, chirp_id: UUID) -> object:
    """The rows of the statement, by psycopg2."""
    with connection.cursor() as cursor:
        cursor.execute(sql_of(FIND), {"id": chirp_id})
        return cursor.fetchall()


WAYS: dict[str, Way] = {
    "session": by_session,
    "SQLAlchemy, autocommit": by_core,
    "psycopg2, pooled": by_pool,
    "alone": by_alone,
    "psycopg2": by_psycopg2,
}


@click.command(context_settings={"show_default": True})
@click.option("--rounds", default=10, type=click.IntRange(1, 1000), help="Turns of each way.")
@click.option("--seconds", default=0.5, type=click.FloatRange(0.1, 60), help="Of each turn.")
@stopped_tidily
def main(rounds: int, seconds: float) -> None:
    """Measure what each way of running one statement costs."""
    with house() as home, home.chirpy():  # which migrates the database
        app = application(home)
        chirps = [UUID(chirp_id) for [chirp_id] in home.sql("SELECT id::text FROM chirps")]
        for way in WAYS.values():
            paid(app, way, chirps, seconds)  # connects
        found = [
            {name: paid(app, way, chirps, seconds) for name, way in WAYS.items()}
            for _ in range(rounds)
        ]
        with app.app_context():
            db.engine.dispose()
    click.echo(f"{rounds} × {seconds:g} s each, {THREADS} threads: medians, beside psycopg2")
    for name in WAYS:
        click.echo(line(name, [one[name] for one in found], [one["psycopg2"] for one in found]))


def application(house: House) -> Flask:
    """Chirpy in this process, with some chirps."""
    given = {name: value for name, value in house.environment.items() if value}
    app = create_app(SettingsSchema().load(given))
    growing.make_users(house)
    growing.grow(house, growing.CHIRPS, CHIRPS)
    return app


def paid(app: Flask, way: Way, chirps: list[UUID], seconds: float) -> Paid:
    """One turn of one way, with all threads at once."""
    start, counts = Barrier(THREADS + 1), []

    def work() -> None:
        done = 0
        with app.app_context():
            start.wait()
            end = monotonic() + seconds
            for chirp_id in cycle(chirps):
                way(chirp_id)
                done += 1
                if monotonic() > end:
                    break
        counts.append(done)

    workers = [Thread(target=work) for _ in range(THREADS)]
    for worker in workers:
        worker.start()
    start.wait()
    computed = process_time()
    for worker in workers:
        worker.join()
    total = sum(counts)
    return Paid(total / seconds, 1_000_000 * (process_time() - computed) / total)


def line(name: str, mine: list[Paid], bound: list[Paid]) -> str:
    """The medians of one way, and of its ratio to the bound."""
    ratio = median(a.per_second / b.per_second for a, b in zip(mine, bound, strict=True))
    per_second, cpu_us = (median(values) for values in zip(*mine, strict=True))
    return f"{name:24} {per_second:8,.0f}/s {cpu_us:6.0f} µs CPU {ratio:6.2f}"


if __name__ == "__main__":
    main()
