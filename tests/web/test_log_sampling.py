"""Of many similar warnings and errors in a second, the log has a few lines and a count."""

import json
import logging
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from io import StringIO
from typing import Any

import pytest
from flask import Flask

from chirpy.web import log_sampling
from chirpy.web.log_sampling import LINES, WARNINGS, Sampling
from tests.support.databases import UNREACHABLE, an_app
from tests.support.server import Server, wait_until

Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def sampling(monkeypatch: pytest.MonkeyPatch) -> Sampling:
    """A filter whose period does not end during the test."""
    monkeypatch.setattr(log_sampling, "PERIOD", 10_000)
    return Sampling()


@pytest.fixture
def lines(log: StringIO, sampling: Sampling) -> Lines:
    """Return the lines that pass the filter."""
    handler = logging.getLogger().handlers[-1]
    handler.addFilter(sampling)
    return lambda: [json.loads(line) for line in log.getvalue().splitlines()]


def test_first_lines_of_each_kind_are_logged_and_the_others_counted(
    app: Flask, lines: Lines, sampling: Sampling
) -> None:
    requests = [("GET", f"/api/nowhere/{number}", 404) for number in range(40)]
    requests += [("POST", "/api/refresh", 401), ("POST", "/api/revoke", 401)] * 20

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda sent: app.test_client().open(sent[1], method=sent[0]), requests))

    assert sorted(Counter((line["status"], line["path"][:8]) for line in lines()).items()) == [
        ((401, "/api/ref"), LINES),
        ((401, "/api/rev"), LINES),
        ((404, "/api/now"), LINES),
    ]
    sampling.log_omitted()
    counts = lines()[3 * LINES :]
    assert sorted((line["omitted"], line["like"][:13]) for line in counts) == [
        (20 - LINES, "POST /api/ref"),
        (20 - LINES, "POST /api/rev"),
        (40 - LINES, "GET /api/nowh"),
    ]
    assert {line["level"] for line in counts} == {"WARNING"}
    sampling.log_omitted()
    assert len(lines()) == 3 * LINES + 3


def test_all_kinds_of_warnings_together_are_limited_and_errors_are_not(
    lines: Lines, sampling: Sampling
) -> None:
    logger = logging.getLogger("chirpy")
    for kind in range(2 * WARNINGS):
        for _ in range(2):
            logger.warning("warning %s", kind, extra={"facts": {"status": kind}})
            logger.error("error %s", kind, extra={"facts": {"status": kind}})

    levels = Counter(line["level"] for line in lines())
    assert levels == {"WARNING": WARNINGS, "ERROR": 4 * WARNINGS}
    sampling.log_omitted()
    assert sum(line.get("omitted", 0) for line in lines()) == 3 * WARNINGS


def test_errors_are_logged_in_each_second(
    lines: Lines, sampling: Sampling, monkeypatch: pytest.MonkeyPatch
) -> None:
    with an_app(UNREACHABLE) as app:
        for second in range(3):
            monkeypatch.setattr(log_sampling, "monotonic", lambda now=second: 10_000 * now)
            for _ in range(LINES + 1):
                app.test_client().get("/api/readyz")

    causes = [line for line in lines() if line["message"] == "Database unavailable"]
    assert len(causes) == 3 * LINES
    assert len([line for line in lines() if line.get("status") == 503]) == 3 * LINES


def test_successful_requests_are_not_sampled(sampling: Sampling) -> None:
    record = logging.makeLogRecord({"levelno": logging.INFO, "msg": "GET"})

    assert all(sampling.filter(record) for _ in range(2 * LINES))


def test_server_samples_its_log(server: Server) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: server.request("GET", f"/api/sampled/{number}"), range(60)))

    def counts() -> list[int]:
        lines = [json.loads(line) for line in server.log.splitlines() if "/api/sampled" in line]
        return [line.get("omitted", 1) for line in lines]

    wait_until(lambda: sum(counts()) >= 60)
    assert len(counts()) < 60
