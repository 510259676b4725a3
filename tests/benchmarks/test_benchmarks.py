"""The benchmarks measure what they say: the requests, the SQL, the sums, the page."""

import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from threading import Thread
from typing import Any, cast
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner, Result as ClickResult
from flask.testing import FlaskClient
from sqlalchemy import URL

from benchmarks import (
    __main__ as command,
    bare,
    bench,
    costs,
    memory,
    pgbench,
    plot,
    processes,
    results,
    scene as scene_module,
    servers,
    table,
    ways,
)
from benchmarks.asking import UNIQUE, Ask, Caller
from benchmarks.cases import BY_NAME
from benchmarks.conversation import complete
from benchmarks.failures import BenchmarkFailed
from benchmarks.generator import with_omitted
from benchmarks.house import House, environment
from benchmarks.load import PROGRAMS, Generator, read
from benchmarks.measures import Measure, percentile
from benchmarks.results import Memory, Point, Result, Row
from benchmarks.scene import Author, Scene, credentials
from benchmarks.statements import Transaction, overhear
from tests.support.databases import POLKA_KEY, Sql, url_text
from tests.support.factories import a_user, an_email, an_id
from tests.support.server import Server

NOWHERE = "http://127.0.0.1:9"
NOT_YET = "Nothing was measured yet."
HEALTH = Row("healthz", 20_000, 0.5, 1.25, None, 0.05, 0.0, None, 21_000)
WEBHOOK = Row("webhook new", 3000, 5, 12.34, 10.0, 0.4, 0.2, 10_000, 3500)
CURVES = {
    "webhook new": [Point(1, 900, 1.5), Point(256, 2900, 140)],
    "list <100>": [Point(1, 700, 2), Point(256, 2500, 99)],
}
RESULT = Result(
    date="2026-01-31",
    conditions="wrk, 16 connections",
    machine={"Processor": "2 × quick", "Postgres": "18.1"},
    rows=[HEALTH, WEBHOOK],
    memory=Memory(0.5, [80.0, 79.0], 0.4),
    curves=CURVES,
)


class Receiver(BaseHTTPRequestHandler):
    """Answers in the way that a path names, and keeps the bodies that it was sent."""

    protocol_version = "HTTP/1.1"
    bodies: list[bytes]
    answers = {  # noqa: RUF012
        "/taken": b"HTTP/1.1 204 No Content\r\nServer: test\r\n\r\n",
        "/broken": b"HTTP/1.1 500 Broken\r\nContent-Length: 0\r\n\r\n",
    }

    def do_POST(self) -> None:
        self.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.wfile.write(self.answers[self.path])

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class QuietServer(ThreadingHTTPServer):
    """Says nothing when a client hangs up, as load generators do at their end."""

    def handle_error(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def bodies() -> list[bytes]:
    return []


@pytest.fixture
def receiver(bodies: list[bytes]) -> Iterator[str]:
    """The URL of a server in this process."""
    kind = type("KeepingReceiver", (Receiver,), {"bodies": bodies})
    with QuietServer(("127.0.0.1", 0), kind) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("program", PROGRAMS)
def test_no_two_requests_are_the_same_and_each_status_is_counted(
    receiver: str, bodies: list[bytes], program: str
) -> None:
    said = f'{{"id":"{UNIQUE}"}}'
    deck = [Ask("POST", path, {}, said) for path in ("/taken", "/taken", "/broken")]

    measure = Generator(0.2, 3, program).run(receiver, deck)

    assert set(measure.statuses) == {"204", "500"}
    assert 0 <= len(bodies) - measure.requests <= 3  # those under way at the end
    assert len(set(bodies)) == len(bodies) > 10
    assert {len(json.loads(body)["id"]) for body in bodies} == {len(UNIQUE)}
    assert 0 < measure.p50_ms <= measure.p99_ms


def test_a_server_that_is_not_there_is_told_of() -> None:
    with pytest.raises(BenchmarkFailed, match="does not answer"):
        Generator(0.1, 1, "python").run(NOWHERE, [Ask("GET", "/")])


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length:2\r\n\r\nOK",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nOK\r\n0\r\n\r\n",
    ],
)
def test_an_answer_is_complete_at_its_end_and_not_before(answer: bytes) -> None:
    assert complete(answer)
    assert not any(complete(answer[:length]) for length in range(len(answer)))


def test_a_percentile_is_a_value_that_was_measured() -> None:
    values = [float(value) for value in range(1, 101)]

    assert (percentile(values, 50), percentile(values, 99)) == (50, 99)
    assert (percentile([7.0], 99), percentile([], 99)) == (7, 0)


def test_those_count_who_would_have_asked_while_an_answer_was_late() -> None:
    assert list(with_omitted([1, 10, 2], 3)) == [1, 10, 7, 4, 2]


def test_rounds_are_told_by_their_means_and_waiting_times_by_those_in_the_middle() -> None:
    rounds = [
        bench.Round(Measure(2.0, 3, 60, {"204": 400}), 110.0, 1.0, 0.5, 400, 300),
        bench.Round(Measure(2.0, 4, 9, {"204": 200}), 10.0, 2.0, 0.5, None, 200),
        bench.Round(Measure(2.0, 2, 8, {"204": 600}), 0.0, 3.0, 0.5, 600, 100),
    ]

    told = bench.summary(BY_NAME["webhook new"], rounds)

    assert told == Row("webhook new", 200, 4, 9, 10, 2, 0.5, None, 200)


def test_the_first_round_does_not_count() -> None:
    played: list[float] = []

    def play(load: Generator) -> bench.Round:
        played.append(load.seconds)
        return bench.Round(Measure(load.seconds, 1, 1, {"204": len(played)}))

    told = bench.in_rounds(BY_NAME["webhook new"], Generator(seconds=2), play)

    assert played == [bench.WARM_UP, 2, 2, 2]
    assert told.per_second == (2 + 3 + 4) / 3 / 2


def test_what_was_not_measured_each_time_has_no_mean() -> None:
    assert bench.mean([1.0, 2.0, 6.0]) == 3
    assert bench.mean([1.0, None, 6.0]) is None
    assert bench.mean([None, None]) is None


def test_what_wrk_tells_is_read() -> None:
    told = '{"seconds":2.0,"p50_ms":1.5,"p99_ms":9.0,"broken":1,"statuses":{"200":10,"503":2}}'

    assert read(f"Running 2s test\n  2 threads\n{told}\n") == Measure(
        2.0, 1.5, 9.0, {"200": 10, "503": 2}, 1
    )
    with pytest.raises(BenchmarkFailed, match="No measure"):
        read("Running 2s test")


@pytest.mark.parametrize(
    "measure",
    [
        Measure(1, 1, 1, {}),
        Measure(1, 1, 1, {"200": 9, "503": 1}),
        Measure(1, 1, 1, {"201": 9}),
        Measure(1, 1, 1, {"200": 9}, broken=1),
    ],
)
def test_a_load_fails_unless_every_answer_is_as_it_should_be(measure: Measure) -> None:
    with pytest.raises(BenchmarkFailed):
        measure.require_only(200, "this load")


@pytest.mark.parametrize(("case", "key"), [("snake", "user_id"), ("camel", "userId")])
def test_an_event_is_spelled_as_the_server_wants_it(case: Any, key: str) -> None:
    scene = Scene(Caller(NOWHERE), POLKA_KEY, case, red=["somebody"])

    [request] = BY_NAME["webhook new"].deck(scene)

    assert json.loads(request.body)["data"] == {key: "somebody"}


@pytest.fixture
def scene(client: FlaskClient, sql: Sql) -> Scene:
    """What requests can speak of in the database of the tests."""
    given = credentials(an_email())
    client.post("/api/users", json=given)
    login = client.post("/api/login", json=given).get_json()
    author = Author(login["id"], login["email"], login["token"])
    said = client.post(
        "/api/chirps", json={"body": "Hello"}, headers={"Authorization": f"Bearer {author.token}"}
    )
    return Scene(
        Caller(NOWHERE),
        POLKA_KEY,
        authors=[author],
        red=[str(a_user(sql))],
        chirps=[said.get_json()["id"]],
    )


@pytest.fixture
def transactions(scene: Scene, database_url: URL) -> dict[str, Transaction]:
    """What Chirpy tells Postgres."""
    settings = environment(url_text(database_url)) | {
        "JWT_SECRET": "x" * 32,
        "POLKA_KEY": POLKA_KEY,
    }
    asked = ("one chirp", "list 100", "new chirp", "login", "webhook new")
    return overhear(settings, scene, [BY_NAME[name] for name in asked])


def test_the_sql_that_is_measured_is_what_chirpy_sends(
    transactions: dict[str, Transaction], connection: Any, sql: Sql
) -> None:
    """Sent again, about another user, it does to the database what a delivery does."""
    user_id, event_id = a_user(sql), an_id()
    values: dict[str, Any] = {"user_id": str(user_id), "event_id": event_id, "body": "{}"}

    with connection.cursor() as cursor:
        for statement in bare.prepared(transactions["webhook new"]):
            bare.rows_of(cursor, statement, values)

    assert sql(
        "SELECT events.user_id, outcome, body, is_chirpy_red"
        " FROM webhook_events AS events JOIN memberships USING (event_id) WHERE event_id = %s",
        event_id,
    ) == [(str(user_id), "applied", "{}", True)]


def test_pgbench_gets_the_same_sql_with_variables_of_its_own(
    transactions: dict[str, Transaction], scene: Scene
) -> None:
    named = {scene.red[0], scene.authors[0].id, scene.authors[0].email, *scene.chirps}
    for transaction in transactions.values():
        script = pgbench.script(transaction)

        assert not [name for name in named if name in script]
        assert not re.search("<[a-z_]+>", script)
        for name in pgbench.VARIABLES:
            assert (f"\\set {name} " in script) == bool(re.search(f"[^:]:{name}\\b", script))


def test_pgbench_sends_as_one_what_chirpy_sends_as_one() -> None:
    assert pgbench.script(Transaction(("A; B;",))) == "A\\; B;\n"
    assert pgbench.script(Transaction(("A", "B"))) == "BEGIN;\nA;\nB;\nCOMMIT;\n"


def test_pgbench_is_understood() -> None:
    told = "number of failed transactions: 0 (0.000%)\ntps = 10300.5 (without connecting)\n"

    assert pgbench.rate(told) == 10300.5
    for wrong in ("", told.replace(": 0", ": 3")):
        with pytest.raises(BenchmarkFailed, match="pgbench failed"):
            pgbench.rate(wrong)


def test_a_result_is_read_as_it_was_saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "FOLDER", tmp_path / "results")

    assert Result.load(results.save(RESULT, "2026-01-31")) == RESULT


def test_a_table_names_the_machine_and_tells_each_case_beside_its_bounds() -> None:
    lines = list(table.table(RESULT))

    assert "Processor: 2 × quick; Postgres: 18.1." in lines
    for told in (
        "webhook new | 3,000 | 5.0 | 12.3 | 10 | 0.40 | 0.20 | 10,000 | 0.30 | 3,500 | 0.86 | 0.15",
        "healthz | 20,000 | 0.5 | 1.2 | – | 0.05 | 0.00 | – | – | 21,000 | 0.95 | 1.00",
    ):
        assert f"| {told} |" in lines
    assert lines[-2:] == [
        "`import app` takes 0.50 s.",
        "Its packages alone take 0.40 s.",
    ]


def test_a_table_replaces_the_one_before_and_nothing_else(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("Before\n<!-- benchmark -->\nold\n<!-- /benchmark -->\nAfter\n")

    table.write_into(page, "benchmark", ["new"])
    once = page.read_text()
    table.write_into(page, "benchmark", ["new"])

    assert page.read_text() == once
    assert once == "Before\n<!-- benchmark -->\n\nnew\n\n<!-- /benchmark -->\nAfter\n"
    with pytest.raises(BenchmarkFailed, match="no place called growth"):
        table.write_into(page, "growth", [])


def kept_benchmark(date: str) -> Iterator[str]:
    return table.table(Result.load(results.FOLDER / f"{date}.json"))


def kept_growth(date: str) -> Iterator[str]:
    return costs.lines(costs.Growth.load(results.FOLDER / f"{date}-growth.json"))


def kept_ways(date: str) -> Iterator[str]:
    return ways.lines(ways.Comparison.load(results.FOLDER / f"{date}-ways.json"))


@pytest.mark.parametrize(
    ("mark", "kept"),
    [("benchmark", kept_benchmark), ("growth", kept_growth), ("ways", kept_ways)],
)
def test_no_number_of_the_page_was_written_by_hand(
    mark: str, kept: Callable[[str], Iterator[str]]
) -> None:
    page = table.PAGE.read_text()
    [shown] = re.findall(rf"<!-- {mark} -->\n\n(.*?)\n\n<!-- /{mark} -->\n", page, re.DOTALL)
    dated = re.match("Measured on ([0-9-]+)", shown)

    assert shown == ("\n".join(kept(dated[1])) if dated else NOT_YET)


def test_ways_are_measured_in_turn_by_their_median_and_the_first_times_do_not_count(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock, asked = [0.0], []
    monkeypatch.setattr(costs, "perf_counter", lambda: clock[0])
    monkeypatch.setattr(costs, "WARM_UP", 1)
    monkeypatch.setattr(costs, "COUNTED", 3)

    def way(name: str, seconds: list[float]) -> costs.Way:
        left = iter(seconds)

        def ask(request: Ask) -> None:
            asked.append(name + request.path)
            clock[0] += next(left)

        return costs.Way(ask, [Ask("GET", "/1"), Ask("GET", "/2")])

    usual = costs.usual_ms([way("small", [99, 1, 2, 9]), way("large", [99, 4, 5, 6])])

    assert usual == [2000, 5000]
    assert asked == ["small/1", "large/1", "small/2", "large/2"] * 2


def test_growth_is_told_as_what_most_rows_cost_beside_fewest() -> None:
    cost = costs.Cost("one chirp", "chirps", [1000, 100_000], [1.0, 1.1], [0.1, 0.125])

    lines = list(costs.lines(costs.Growth("2026-01-31", {}, [cost])))

    assert "| one chirp | 1.00, 0.10 | 1.10, 0.12 | 1.10, 1.25 |" in lines


def test_a_chart_is_an_svg_with_a_curve_of_each_case_in_both_panels() -> None:
    drawing = ET.fromstring(plot.chart(CURVES))
    found = Counter(element.tag.rpartition("}")[2] for element in drawing.iter())
    texts = [element.text for element in drawing.iter() if element.tag.endswith("}text")]

    assert found["polyline"] == 2 * len(CURVES)
    assert texts[-2:] == list(CURVES)
    assert texts.count("256") == 2


def test_a_curve_stays_within_its_panel() -> None:
    for panel in plot.panels(CURVES):
        for points in CURVES.values():
            for point in points:
                assert panel.left <= panel.x(point.connections) <= panel.left + plot.ACROSS
                assert plot.TOP <= panel.y(panel.of(point)) <= plot.BOTTOM


@pytest.mark.skipif(not processes.KNOWN, reason="this system has no /proc")
def test_the_computing_of_a_process_and_its_children_is_counted() -> None:
    root = os.getpid()
    before = processes.cpu_seconds(root)
    work = [sys.executable, "-c", "sum(range(3_000_000)); input()"]
    with subprocess.Popen(work, stdin=subprocess.PIPE) as child:
        assert child.pid in processes.tree(root)
        child.communicate(b"\n")

    assert (processes.cpu_seconds(root) or 0) > (before or 0)
    assert (processes.resident_mib(root) or 0) > 10


def test_what_is_imported_alone_is_part_of_what_chirpy_imports() -> None:
    names = "{name.partition('.')[0] for name in sys.modules}"
    script = f"import json, sys, chirpy.serving; print(json.dumps(list({names})))"
    told = subprocess.run(
        [sys.executable, "-c", script], cwd=servers.PROJECT, capture_output=True, check=True
    )

    assert set(memory.PACKAGES) <= set(json.loads(told.stdout))


def test_a_server_rests_once_no_more_is_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([1.0, 1.5, 1.51, 1.51, 1.6])
    monkeypatch.setattr(processes, "cpu_seconds", lambda _: next(clock))

    servers.Server(NOWHERE, os.getpid()).come_to_rest()

    assert list(clock) == [1.6]


def test_a_server_that_never_rests_fails_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    ticking = count()
    monkeypatch.setattr(processes, "cpu_seconds", lambda _: float(next(ticking)))
    monkeypatch.setattr(servers, "PATIENCE", 0)

    with pytest.raises(BenchmarkFailed, match="does not come to rest"):
        servers.Server(NOWHERE, os.getpid()).come_to_rest()


def test_what_is_loaded_rests_before_anything_else_is(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    chirpy, views = (servers.Server(f"http://{name}", 0) for name in ("chirpy", "bare"))
    measure = Measure(1, 1, 1, {"200": 9})

    def load(_: Generator, url: str, *__: object) -> Measure:
        told.append(f"load {url}")
        return measure

    monkeypatch.setattr(bench, "checked", load)
    monkeypatch.setattr(bench.Bench, "clocks", (None, None, None))
    monkeypatch.setattr(bench.Bench, "pgbench", lambda *_: told.append("load pgbench"))
    monkeypatch.setattr(
        servers.Server, "come_to_rest", lambda self: told.append(f"rest {self.url}")
    )
    running = bench.Bench(cast("House", None), chirpy, views, Scene(Caller(NOWHERE), None), {})

    running.round(BY_NAME["healthz"], Generator(), [])
    running.measure(BY_NAME["healthz"], Generator())

    chirpy_load, bare_load = (["load " + url, "rest " + url] for url in (chirpy.url, views.url))
    assert told == [*chirpy_load, "load pgbench", *bare_load, *chirpy_load]


def test_nobody_waits_for_rest_where_no_clock_tells_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "KNOWN", False)
    monkeypatch.setattr(servers, "sleep", pytest.fail)

    servers.Server(NOWHERE, os.getpid()).come_to_rest()


def test_the_time_that_was_stolen_is_read_where_linux_tells_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "stat").write_text("cpu  1 2 3 4 5 6 7 800 9 10\ncpu0 0 0 0 0 0 0 0 1 0 0\n")
    monkeypatch.setattr(processes, "PROC", tmp_path)
    monkeypatch.setattr(processes, "KNOWN", True)

    assert processes.stolen_seconds() == 800 / processes.TICKS


@pytest.fixture
def measure_there(server: Server, monkeypatch: pytest.MonkeyPatch) -> Callable[..., ClickResult]:
    """Measure a running server, as a user would another one."""
    monkeypatch.setattr(scene_module, "AUTHORS", 2)
    monkeypatch.setattr(bench, "WARM_UP", 0.1)
    monkeypatch.setattr(bench, "ROUNDS", 1)
    usual = ["--against", server.url, "--seconds", "0.1", "--program", "python", "--no-save"]

    def measure(*options: str) -> ClickResult:
        return CliRunner().invoke(command.main, [*usual, *options])

    return measure


def test_the_same_load_runs_against_any_server_with_what_it_offers(
    measure_there: Callable[..., ClickResult],
) -> None:
    told = measure_there("--only", "healthz", "--only", "list next page", "--only", "webhook new")

    assert told.exit_code == 0
    assert re.search(r"^healthz +[0-9,]+ ", told.output, re.MULTILINE)
    assert re.search(r"^list next page +[0-9,]+ ", told.output, re.MULTILINE)
    assert "webhook new is left out: no --polka-key" in told.output


def test_a_load_that_is_refused_ends_with_exit_code_1(
    measure_there: Callable[..., ClickResult],
) -> None:
    told = measure_there("--only", "webhook new", "--polka-key", "wrong")

    assert told.exit_code == 1
    assert "expected only 204, got" in told.output
