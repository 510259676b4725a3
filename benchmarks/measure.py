"""Chirpy and what it is compared with: a bare view and pgbench, which send the same SQL."""

import json
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import NamedTuple
from urllib.parse import quote, urlencode

from benchmarks import environment
from benchmarks.api import Request, Target
from benchmarks.cases import CASES, Case
from benchmarks.compare import CPU, LATENCY, LIMIT, Contender, Measure, prepare
from benchmarks.environment import CHIRP_IDS, USER_IDS, WORKERS, Database, run_server
from benchmarks.statements import Transaction, record, run_pgbench
from benchmarks.wrk import run_wrk

GRANIAN = (
    *("-m", "granian", "--interface", "wsgi", "--http", "1", "--no-ws", "--log-level", "error"),
    *("--workers", str(WORKERS), "--blocking-threads", "4", "benchmarks.bare_view:app"),
)


class Benchmark(NamedTuple):
    """What runs, all on one database, and the SQL of each case."""

    database: Database
    chirpy_process: int
    bare_url: str
    target: Target
    transactions: Mapping[str, Transaction]

    def contenders(self) -> list[Contender]:
        """Return Chirpy and its limits."""
        [[pid_file]] = self.database.execute("SELECT pg_read_file('postmaster.pid')")
        processes = self.chirpy_process, int(pid_file.split()[0])
        return [
            Contender("Chirpy", LATENCY + CPU, partial(prepare, self.target, processes)),
            Contender("bare view", LIMIT, self.prepare_bare_view),
            Contender("pgbench", LIMIT, self.prepare_pgbench),
        ]

    def prepare_bare_view(self, case: Case) -> Measure:
        """Send the values for the SQL to the bare view, as JSON or in the query.

        Its events have other ids: Chirpy's fingerprint, which is part of the SQL, differs for each.
        """
        bare = []
        for request in case.requests(self.target):
            path, values = f"/{quote(case.name)}", dict(request.values)
            body = json.dumps(values).replace("evt_", "bare_") if request.body else ""
            query = "" if body else f"?{urlencode(values)}"
            bare.append(Request(request.method, path + query, body, request.headers))
        return partial(run_wrk, self.bare_url, bare, 200)

    def prepare_pgbench(self, case: Case) -> Measure | None:
        """Run the same SQL without any server, if there is any."""
        transaction = self.transactions[case.name]
        return partial(run_pgbench, self.database, transaction) if transaction.statements else None


@contextmanager
def run_benchmark() -> Iterator[Benchmark]:
    """Start everything, fill the database, and record the SQL of each case."""
    with environment.run_postgres() as database, tempfile.NamedTemporaryFile("w") as file:
        settings = environment.settings(database.url)
        logged_url = f"{database.url}&options=-c%20log_statement%3Dall"
        one_thread = {"DB_URL": logged_url, "WORKERS": "1", "THREADS": "1"}
        with run_server(settings | one_thread) as (url, _):
            database.seed(len(CHIRP_IDS))
            target = Target(url, settings["POLKA_KEY"], "user_id", [], USER_IDS, CHIRP_IDS)
            target.create_authors()
            transactions = {name: record(database, target, case) for name, case in CASES.items()}
        json.dump({name: one.statements for name, one in transactions.items()}, file)
        file.flush()
        bare_settings = settings | {"BARE_STATEMENTS": file.name}
        with run_server(settings) as chirpy, run_server(bare_settings, *GRANIAN) as (bare, _):
            target.url, process = chirpy
            yield Benchmark(database, process, bare, target, transactions)
