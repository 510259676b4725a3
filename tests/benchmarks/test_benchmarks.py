"""Test that the benchmarks send the right requests, check each response, and report the numbers."""

import json
import os
import re
import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from benchmarks import __main__ as command, api, compare, report
from benchmarks.api import BenchmarkError, Request, Target, send
from benchmarks.cases import CASES
from benchmarks.compare import CPU, LATENCY, LIMIT, Contender, Result, measure_in_turn, summarize
from benchmarks.wrk import Load, Measurement, parse_output, require_wrk
from tests.support.databases import DELETE_ALL_ROWS, POLKA_KEY, Sql
from tests.support.server import Server

HAS_WRK = shutil.which("wrk") is not None
CHIRPY = Measurement(2000, 1000, 4, 9.87, 0.5, 0.25)
RESULTS: dict[str, list[Result | None]] = {
    "healthz": [Result(CHIRPY, (1, 1, 1)), Result(Measurement(1, 3000), (2, 3, 4)), None],
    "login": [Result(CHIRPY, (1, 1, 1))] * 3,
}
CONTENDERS = [
    Contender("Chirpy", LATENCY + CPU, lambda _: None),
    Contender("bare view", LIMIT, lambda _: None),
    Contender("pgbench", LIMIT, lambda _: None),
]


@pytest.fixture(scope="module")
def target(session_server: Server, session_sql: Sql) -> Iterator[Target]:
    """A running Chirpy with two authors and two pages of chirps, which the tests here share."""
    target = Target(session_server.url, POLKA_KEY)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(api, "AUTHORS", 2)
        target.create_content()
    yield target
    session_sql(DELETE_ALL_ROWS)


@pytest.mark.parametrize(
    ("name", "method", "path", "body"),
    [
        ("healthz", "GET", "/api/healthz", ()),
        ("one chirp", "GET", "/api/chirps/", ()),
        ("list 100", "GET", "/api/chirps?limit=100", ()),
        ("list next page", "GET", "/api/chirps?limit=100&after=", ()),
        ("new chirp", "POST", "/api/chirps", {"body"}),
        ("login", "POST", "/api/login", {"email", "password"}),
        ("webhook new", "POST", "/api/polka/webhooks", {"id", "event", "data"}),
        ("webhook repeated", "POST", "/api/polka/webhooks", {"id", "event", "data"}),
        ("webhook refused", "POST", "/api/polka/webhooks", {"id", "event", "data"}),
    ],
)
def test_each_case_sends_its_request_and_gets_the_expected_status(
    target: Target, name: str, method: str, path: str, body: Any
) -> None:
    case = CASES[name]

    for request in case.requests(target)[:3]:
        assert request.method == method
        assert request.path.startswith(path)
        assert set(json.loads(request.body or "{}")) == set(body)
        send(target.url, request.with_unique_text(), case.status)


def test_new_events_are_applied_and_repeated_events_are_duplicates(target: Target) -> None:
    new = CASES["webhook new"].requests(target)[0]
    repeated = CASES["webhook repeated"].requests(target)[0]

    outcomes = [
        send(target.url, request.with_unique_text(), 204)[0]["webhook-outcome"]
        for request in (new, new, repeated)
    ]

    assert outcomes == ["applied", "applied", "duplicate"]


def test_a_camel_case_server_gets_user_id_in_camel_case() -> None:
    target = Target("http://localhost", "key", "userId", upgraded_ids=["42"])

    [request] = CASES["webhook new"].requests(target)

    assert json.loads(request.body)["data"] == {"userId": "42"}


def test_a_response_with_another_status_is_an_error(session_server: Server) -> None:
    with pytest.raises(BenchmarkError, match="expected status 201, got 200"):
        send(session_server.url, Request("GET", "/api/healthz"), 201)


def wrk_output(statuses: dict[str, int], broken: int = 0) -> str:
    result = {"seconds": 2, "p50_ms": 1.5, "p99_ms": 9, "broken": broken, "statuses": statuses}
    return f"Running 2s test\n{json.dumps(result)}\n"


def test_the_output_of_wrk_is_parsed() -> None:
    assert parse_output(wrk_output({"204": 10}), 204, "POST /") == Measurement(10, 5, 1.5, 9)


@pytest.mark.parametrize(
    ("statuses", "broken"), [({}, 0), ({"200": 9, "503": 1}, 0), ({"201": 9}, 0), ({"200": 9}, 1)]
)
def test_a_run_of_wrk_with_any_wrong_response_is_an_error(
    statuses: dict[str, int], broken: int
) -> None:
    with pytest.raises(BenchmarkError, match="expected only status 200"):
        parse_output(wrk_output(statuses, broken), 200, "GET /")


def test_missing_wrk_is_reported_with_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")

    with pytest.raises(BenchmarkError, match="apt install wrk"):
        require_wrk()


def test_rounds_alternate_their_order_and_the_warm_up_does_not_count(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(compare, "PAUSE", 0)
    calls: list[str] = []

    def measure(name: str, load: Load) -> Measurement:
        calls.append(f"{name}{load.seconds}")
        return Measurement(1, len(calls))

    rounds = measure_in_turn([partial(measure, "a"), partial(measure, "b")], Load(2, 16, 2))

    assert calls == ["b2", "a2", "a2", "b2", "b2", "a2"]
    assert [[one.per_second for one in of_one] for of_one in rounds] == [[3, 6], [4, 5]]


def test_a_result_has_medians_and_the_quartiles_of_the_ratio_in_each_round() -> None:
    rounds = [Measurement(0, rate, latency) for rate, latency in ((10, 1), (30, 5), (20, 2))]
    first = [Measurement(0, rate) for rate in (10, 10, 20)]

    assert summarize(rounds, first) == Result(Measurement(0, 20, 2), (1, 1, 2))
    assert summarize(rounds[:1], first[:1]).ratio == (1, 1, 1)


def test_the_table_shows_each_contender_and_a_dash_where_nothing_is_measured() -> None:
    lines, results = report.print_table(CONTENDERS, RESULTS.items())

    cells = [cell.strip() for cell in lines[2].split("|")[1:-1]]
    chirpy, bare, pgbench = cells[1:6], cells[6:8], cells[8:]
    assert chirpy == ["1,000", "4.0", "9.9", "0.50", "0.25"]
    assert (bare, pgbench) == (["3,000", "3.00"], ["–", "–"])
    assert results == RESULTS


def test_a_saved_run_replaces_its_section_of_the_page_and_draws_the_same_chart_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page, chart, result = (tmp_path / name for name in ("p.md", "performance.svg", "result.json"))
    page.write_text("Before\n<!-- benchmark -->\nold\n<!-- /benchmark -->\nAfter\n")
    monkeypatch.setattr(report, "PAGE", page)
    monkeypatch.setattr(report, "RESULT", result)

    report.save(RESULTS, CONTENDERS, ["new"])
    first_chart = chart.read_text()
    report.save(RESULTS, CONTENDERS, ["new"])

    section = r"<!-- benchmark -->\n\nnew\nMeasured on .+\n\n<!-- /benchmark -->"
    assert re.fullmatch(rf"Before\n{section}\nAfter\n", page.read_text())
    assert chart.read_text() == first_chart
    assert json.loads(result.read_text())["healthz"][0][0] == list(CHIRPY)


def test_the_table_on_the_page_is_the_saved_result() -> None:
    saved = json.loads(report.RESULT.read_text())
    results = {
        case: [one and Result(Measurement(*one[0]), tuple(one[1])) for one in of_case]
        for case, of_case in saved.items()
    }

    lines, _ = report.print_table(CONTENDERS, results.items())

    assert "\n".join(lines) in report.PAGE.read_text()


@pytest.mark.skipif(not HAS_WRK and not os.environ.get("CI"), reason="wrk is not installed")
def test_two_running_servers_are_compared_case_by_case(
    target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api, "AUTHORS", 2)
    monkeypatch.setattr(compare, "PAUSE", 0)
    other = target.url.replace("127.0.0.1", "localhost")
    options = ["--against", target.url, "--against", other, "--polka-key", POLKA_KEY]
    options += ["--rounds=1", "--seconds=1", "--connections=1", "--only=webhook new"]

    run = CliRunner().invoke(command.main, options)

    assert run.exit_code == 0, run.output
    assert re.search(r"^\| webhook new +\| +[0-9,]+ ", run.output, re.MULTILINE)
    assert "left out" not in run.output
