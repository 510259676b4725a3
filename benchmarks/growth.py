"""Whether Chirpy stays as fast when there is more and more: `python -m benchmarks.growth`."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import NamedTuple
from urllib.parse import urlencode

import click

from benchmarks import bare, growing, machine, results, runs, table
from benchmarks.asking import Ask, Caller
from benchmarks.cases import BY_NAME, Case
from benchmarks.costs import Cost, Growth, by_chirpy, by_sql, lines, usual_ms
from benchmarks.house import House, house
from benchmarks.scene import PAGE, Scene
from benchmarks.servers import stopped_tidily
from benchmarks.statements import cursor_after, overhear

MARK = "growth"
DIFFERENT = 50  # chirps that are asked for in turn


class Grown(NamedTuple):
    """A database of one size, and who and what the requests to its server speak of."""

    size: int
    house: House
    scene: Scene


class Measured(NamedTuple):
    """One case at one size, with the SQL that Chirpy sends for it."""

    case: Case
    at: Grown
    sql: list[str]


Cases = Callable[[Grown], list[Case]]


def sizes(_: object, __: object, given: str) -> list[int]:
    """Read `1000,100000`."""
    try:
        return sorted({int(size) for size in given.split(",")})
    except ValueError:
        raise click.BadParameter("write numbers with commas between them") from None


@click.command(context_settings={"show_default": True})
@click.option(
    "--chirps", default="1000,100000,10000000", callback=sizes, help="How many there are."
)
@click.option("--events", default="10000,1000000", callback=sizes, help="How many there are.")
@click.option("--save/--no-save", default=True, help="Keep the result, and write the page.")
@stopped_tidily
def main(chirps: list[int], events: list[int], save: bool) -> None:
    """Measure what requests cost one by one, in small and large databases in turn."""
    growth = measure(chirps, events)
    click.echo("\n".join(lines(growth)))
    if save:
        click.echo(f"Kept in {results.save(growth, f'{growth.date}-growth')}")
        table.write_into(table.PAGE, MARK, lines(growth))


def measure(chirps: Sequence[int], events: Sequence[int]) -> Growth:
    """The costs at all these sizes. Raises BenchmarkFailed."""
    with house(max_wal_size="8GB") as home:  # so that no checkpoint comes in between
        costs = [
            *compared(home, growing.CHIRPS, chirps, chirp_cases),
            *compared(home, growing.EVENTS, events, event_cases),
        ]
        return Growth(runs.today(), machine.description(home.postgres_version), costs)


def compared(home: House, kind: growing.Kind, sizes: Sequence[int], cases: Cases) -> Iterator[Cost]:
    """What each case costs at each size, told as soon as it is known."""
    with ExitStack() as stack:
        all_grown = [stack.enter_context(grown(home, kind, size)) for size in sizes]
        for at_sizes in zip(*(overheard(one, cases(one)) for one in all_grown), strict=True):
            yield (cost := cost_of(kind, at_sizes))
            numbers = zip(cost.request_ms, cost.sql_ms, strict=True)
            told = "; ".join(f"{request:.2f} ms, SQL {sql:.3f} ms" for request, sql in numbers)
            click.echo(f"{cost.case}: {told}")


@contextmanager
def grown(home: House, kind: growing.Kind, size: int) -> Iterator[Grown]:
    """A database with so many of a kind, which Chirpy serves."""
    database = home.beside(f"{kind.name}_{size}")
    with database.chirpy() as server:
        growing.make_users(database)
        growing.grow(database, kind, size)
        red = [growing.FEW, growing.MANY]
        yield Grown(size, database, Scene(Caller(server.url), database.polka_key, red=red))


def overheard(at: Grown, cases: Sequence[Case]) -> list[Measured]:
    """The cases with what Chirpy tells Postgres at this size."""
    transactions = overhear(at.house.environment, at.scene, cases)
    return [Measured(case, at, bare.prepared(transactions[case.name])) for case in cases]


def cost_of(kind: growing.Kind, at_sizes: Sequence[Measured]) -> Cost:
    """One case at all sizes."""
    requests = [by_chirpy(one.at.scene, one.case) for one in at_sizes]
    with ExitStack() as stack:
        sql = [
            stack.enter_context(by_sql(one.at.house, one.sql, request.deck))
            for one, request in zip(at_sizes, requests, strict=True)
        ]
        return Cost(
            at_sizes[0].case.name,
            kind.name,
            sizes=[one.at.size for one in at_sizes],
            request_ms=usual_ms(requests),
            sql_ms=usual_ms(sql),
        )


def chirp_cases(at: Grown) -> list[Case]:
    """What may depend on how many chirps there are."""
    step = max(1, at.size // DIFFERENT)
    numbers = range(1, at.size + 1, step)
    at.scene.chirps = [growing.chirp(at.house, number)[1] for number in numbers]
    middle = cursor_after(*growing.chirp(at.house, at.size // 2))
    return [
        BY_NAME["one chirp"],
        listing("list first page"),
        listing("list a page deep inside", after=middle),
        listing("list by an author with few", author_id=growing.FEW),
        listing("list by an author with many", author_id=growing.MANY),
    ]


def event_cases(_: Grown) -> list[Case]:
    """What may depend on how many events there are."""
    return [BY_NAME["webhook new"], BY_NAME["webhook repeated"]]


def listing(name: str, **query: str) -> Case:
    """One page of chirps."""
    page = Ask("GET", f"/api/chirps?{urlencode({'limit': PAGE, **query})}")
    return Case(name, 200, lambda _: [page])


if __name__ == "__main__":
    main()
