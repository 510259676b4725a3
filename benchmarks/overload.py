"""Measure what is served under overload, and how fast: `python -m benchmarks.overload`.

wrk measures all responses together. This client separates the served ones from the refused ones.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import cycle
from secrets import token_hex
from selectors import EVENT_READ, DefaultSelector
from socket import create_connection, socket
from statistics import quantiles
from time import perf_counter

import click
import psutil

from benchmarks.api import UNIQUE, BenchmarkError, Target
from benchmarks.cases import CASES
from benchmarks.environment import USER_IDS, run_postgres, run_server, settings
from benchmarks.report import write_section

SERVED, REFUSED = 204, 503
CONNECTIONS = (16, 128, 1000, 1000, 16)
COLUMNS = "Connections|Served/s|p50 ms|p99 ms|Refused/s|p50 ms|p99 ms|Worker MiB"
WARM_UP = 0.2  # the part of a line that does not count


@click.command(context_settings={"show_default": True})
@click.option("--seconds", default=10, help="Of each line.")
@click.option("--save/--no-save", default=True, help="Write the table into the page.")
def main(seconds: int, save: bool) -> None:
    """Deliver new events over more and more connections, and then over few again."""
    lines = [f"| {COLUMNS.replace('|', ' | ')} |", "|---:" * len(COLUMNS.split("|")) + "|"]
    with run_postgres() as database:
        environment = settings(database.url)
        with run_server(environment) as (url, process_id):
            database.seed(1)
            target = Target(url, environment["POLKA_KEY"], upgraded_ids=USER_IDS)
            for connections in CONNECTIONS:
                cells = measure(target, process_id, connections, seconds)
                lines.append(f"| {' | '.join([f'{connections:,}', *cells])} |")
    click.echo("\n".join(lines))
    if save:
        write_section("overload", [*lines, ""])


def measure(target: Target, process_id: int, connections: int, seconds: int) -> list[str]:
    """Return one line of the table; the memory is that of the largest worker, not shared."""
    host, _, port = target.url.removeprefix("http://").rpartition(":")
    with ExitStack() as stack:
        addresses = [(host, int(port))] * connections
        clients = [Client(stack.enter_context(create_connection(one))) for one in addresses]
        latencies = apply_load(clients, new_events(target), seconds)
        workers = psutil.Process(process_id).children()
        memory = max(worker.memory_full_info().uss for worker in workers) / 2**20
    period = seconds * (1 - WARM_UP)
    cells = [cell for of_one in latencies.values() for cell in summary(of_one, period)]
    return [*cells, f"{memory:.0f}"]


def new_events(target: Target) -> Iterator[bytes]:
    """Yield requests, each with a new event."""
    requests = CASES["webhook new"].requests(target)
    for raw in cycle([request.raw("localhost") for request in requests]):
        yield raw.replace(UNIQUE, token_hex(len(UNIQUE) // 2)).encode()


@dataclass
class Client:
    """A connection, and when it sent its last request."""

    connection: socket
    sent: float = 0

    def send(self, request: bytes) -> None:
        """Send a request."""
        self.sent = perf_counter()
        self.connection.sendall(request)

    def receive(self) -> tuple[int, float]:
        """Receive a response: its status, 0 without one, and how many milliseconds it took."""
        response = self.connection.recv(65536)  # all of it, because it is short
        return int(response[9:12] or 0), 1000 * (perf_counter() - self.sent)


def apply_load(
    clients: Sequence[Client], requests: Iterator[bytes], seconds: float
) -> Mapping[int, list[float]]:
    """Send the next request over each connection that is answered. Return the times by status.

    Raise BenchmarkError if a response is neither served nor refused.
    """
    latencies: dict[int, list[float]] = {SERVED: [], REFUSED: []}
    begin = perf_counter()
    with DefaultSelector() as selector:
        for client in clients:
            client.send(next(requests))
            selector.register(client.connection, EVENT_READ, client)
        while (age := perf_counter() - begin) < seconds:
            for key, _ in selector.select(1):
                status, milliseconds = key.data.receive()
                if status not in latencies:
                    raise BenchmarkError(
                        f"expected {SERVED} or {REFUSED}, got {status or 'nothing'}"
                    )
                if age > WARM_UP * seconds:
                    latencies[status].append(milliseconds)
                key.data.send(next(requests))
    return latencies


def summary(latencies: Sequence[float], seconds: float) -> list[str]:
    """Return how many there are per second, and how long half and 99 of 100 took at most."""
    if len(latencies) < 2:
        return [str(len(latencies)), "–", "–"]
    percentiles = quantiles(latencies, n=100)
    return [f"{number:,.0f}" for number in (len(latencies) / seconds, *percentiles[49::49])]


if __name__ == "__main__":
    main()
