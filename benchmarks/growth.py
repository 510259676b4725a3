"""Whether Chirpy stays as fast when there is more and more: `python -m benchmarks.growth`."""

from collections.abc import Callable, Sequence
from urllib.parse import urlencode

import click

from benchmarks import bare, growing, machine, results, runs, table
from benchmarks.asking import Ask, Caller
from benchmarks.cases import BY_NAME, Case
from benchmarks.costs import Cost, Growth, lines, request_seconds, sql_seconds
from benchmarks.house import House, house
from benchmarks.scene import PAGE, Scene
from benchmarks.servers import stopped_tidily
from benchmarks.statements import cursor_after, overhear

MARK = "growth"
DIFFERENT = 50  # chirps that are asked for in turn

Cases = Callable[[House, Scene, int], list[Case]]


def sizes(_: object, __: object, given: str) -> list[int]:
    """Read `1000,100000`."""
    try:
        return sorted(int(size) for size in given.split(","))
    except ValueError:
        raise click.BadParameter("write numbers with commas between them") from None


@click.command(context_settings={"show_default": True})
@click.option("--chirps", default="1000,100000,10000000", callback=sizes, help="How many, in turn.")
@click.option("--events", default="10000,1000000", callback=sizes, help="How many, in turn.")
@click.option("--save/--no-save", default=True, help="Keep the result, and write the page.")
@stopped_tidily
def main(chirps: list[int], events: list[int], save: bool) -> None:
    """Measure what requests cost one by one, in a database that grows."""
    growth = measure(chirps, events)
    click.echo("\n".join(lines(growth)))
    if save:
        click.echo(f"Kept in {results.save(growth, f'{growth.date}-growth')}")
        table.write_into(table.PAGE, MARK, lines(growth))


def measure(chirps: Sequence[int], events: Sequence[int]) -> Growth:
    """The costs at all these sizes, in a database of its own. Raises BenchmarkFailed."""
    with (
        house(max_wal_size="8GB") as home,  # so that no checkpoint comes in between
        home.chirpy() as server,
    ):
        growing.make_users(home)
        scene = Scene(Caller(server.url), home.polka_key, red=[growing.FEW, growing.MANY])
        costs = [
            *measured(home, scene, growing.CHIRPS, chirps, chirp_cases),
            *measured(home, scene, growing.EVENTS, events, event_cases),
        ]
        return Growth(runs.today(), machine.description(home.postgres_version), costs)


def measured(
    home: House, scene: Scene, kind: growing.Kind, sizes: Sequence[int], cases: Cases
) -> list[Cost]:
    """What each case costs at each size."""
    costs: dict[str, Cost] = {}
    for size in sizes:
        growing.grow(home, kind, size)
        found = cases(home, scene, size)
        transactions = overhear(home.environment, scene, found)
        for case in found:
            cost = costs.setdefault(case.name, Cost(case.name, kind.name))
            cost.sizes.append(size)
            cost.request_ms.append(1000 * request_seconds(scene, case))
            sql = bare.prepared(transactions[case.name])
            cost.sql_ms.append(1000 * sql_seconds(home, case.deck(scene), sql))
            click.echo(f"{case.name}: {cost.request_ms[-1]:.2f} ms, SQL {cost.sql_ms[-1]:.3f} ms")
    return list(costs.values())


def chirp_cases(home: House, scene: Scene, size: int) -> list[Case]:
    """What may depend on how many chirps there are."""
    step = max(1, size // DIFFERENT)
    scene.chirps = [growing.chirp(home, number)[1] for number in range(1, size + 1, step)]
    middle = cursor_after(*growing.chirp(home, size // 2))
    return [
        BY_NAME["one chirp"],
        listing("list first page"),
        listing("list a page deep inside", after=middle),
        listing("list by an author with few", author_id=growing.FEW),
        listing("list by an author with many", author_id=growing.MANY),
    ]


def event_cases(_: House, __: Scene, ___: int) -> list[Case]:
    """What may depend on how many events there are."""
    return [BY_NAME["webhook new"]]


def listing(name: str, **query: str) -> Case:
    """One page of chirps."""
    page = Ask("GET", f"/api/chirps?{urlencode({'limit': PAGE, **query})}")
    return Case(name, 200, lambda _: [page])


if __name__ == "__main__":
    main()
