"""Metrics for Prometheus: all workers are counted, and the alerts and the dashboard know them."""

import json
import os
import re
import resource
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple
from urllib.request import urlopen

import pytest
import yaml
from flask.testing import FlaskClient
from prometheus_client import REGISTRY, CollectorRegistry
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import URL

from chirpy.server.metrics import count_nothing, count_requests, counting, serve_metrics
from chirpy.server.metrics.exporter import FOLDER, LastDelivery
from chirpy.web.refused import Refused
from tests.support.credentials import FOREIGN_SECRET, KEYS, signed
from tests.support.databases import UNREACHABLE, Sql, an_app, connected, url_text
from tests.support.deliveries import KNOWN_USER, PATH
from tests.support.factories import API_KEY, a_user, an_event
from tests.support.server import (
    NO_SETTINGS,
    PROJECT,
    SECRETS,
    Server,
    a_server,
    free_port,
    run_python,
    wait_until,
)

ALERTS, DASHBOARD = PROJECT / "docs/prometheus-alerts.yml", PROJECT / "docs/grafana-dashboard.json"
DEPLOYING = (PROJECT / "docs/deploying.md").read_text()

pytestmark = pytest.mark.usefixtures("emptied_database")


class Measured(NamedTuple):
    """A server with two workers, its metrics, and the folder in which it makes theirs."""

    server: Server
    port: int
    folder: Path

    def samples(self) -> dict[tuple[str, ...], float]:
        """Return the values by the name and the values of the labels, in their order."""
        with urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=5) as response:
            families = text_string_to_metric_families(response.read().decode())
        return {
            (sample.name, *(sample.labels[label] for label in sorted(sample.labels))): sample.value
            for family in families
            for sample in family.samples
        }

    def total(self, method: str, outcome: str, status: str, route: str = PATH) -> float:
        key = "chirpy_requests_total", method, outcome, route, status
        return self.samples().get(key, 0)

    def chirps(self) -> float:
        return self.total("GET", "ok", "200", "/api/chirps")

    def send(self, number: int) -> None:
        """Send this number of requests, each on a connection of its own: to all workers.

        Wait until the metrics have them.
        """
        expected = self.chirps() + number
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(self.server.request, ["GET"] * number, ["/api/chirps"] * number))
        wait_until(lambda: self.chirps() == expected)


@pytest.fixture(scope="module")
def measured(database_url: URL, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Measured]:
    folder, port = tmp_path_factory.mktemp("metrics"), free_port()
    changes = {"WORKERS": "2", "METRICS_PORT": str(port), "TMPDIR": str(folder)}
    with a_server(database_url, **changes) as server:
        yield Measured(server, port, folder)
    assert list(folder.iterdir()) == []


def test_metrics_of_all_workers_are_added_up(measured: Measured, sql: Sql) -> None:
    upgrade = an_event(a_user(sql), id="msg_1")
    outcomes = ("applied", "204"), ("duplicate", "204"), ("wrong_key", "401")
    before = [measured.total("POST", *each) for each in outcomes]  # by other tests

    for headers in (API_KEY, API_KEY, {}):
        measured.server.request("POST", PATH, upgrade, headers)
    measured.send(40)

    samples = measured.samples()
    assert samples["chirpy_request_seconds_count", "GET", "/api/chirps"] >= 40
    expected = [number + 1 for number in before]
    wait_until(lambda: [measured.total("POST", *each) for each in outcomes] == expected)
    assert samples["chirpy_database_connections_limit", "statements"] == 32
    assert samples["chirpy_database_connections_limit", "transactions"] == 16
    [[last]] = sql("SELECT extract(epoch FROM last_delivered_at)::float8 FROM webhook_events")
    assert samples[("chirpy_webhook_last_accepted_timestamp_seconds",)] == pytest.approx(last)


def test_metrics_show_how_many_database_connections_are_in_use(
    measured: Measured, database_url: URL, sql: Sql
) -> None:
    user_id = a_user(sql)
    in_use = "chirpy_database_connections_in_use", "statements"
    with ThreadPoolExecutor() as pool, connected(database_url) as other:
        other(f"BEGIN; SELECT FROM users WHERE id = '{user_id}' FOR UPDATE")
        response = pool.submit(measured.server.request, "POST", PATH, an_event(user_id), API_KEY)
        wait_until(lambda: measured.samples()[in_use] == 1)
        other("COMMIT")

        assert response.result().status == 204
    wait_until(lambda: measured.samples()[in_use] == 0)


@pytest.mark.faults
def test_metrics_survive_the_replacement_of_workers(measured: Measured) -> None:
    measured.send(20)
    before, files = measured.chirps(), sorted(measured.folder.glob("*/*"))
    workers = measured.server.workers
    for worker in workers:
        os.kill(worker, signal.SIGSTOP)
    assert measured.chirps() == before
    for worker in workers:
        os.kill(worker, signal.SIGKILL)
    wait_until(lambda: len(set(measured.server.workers) - set(workers)) == 2)
    wait_until(measured.server.is_ready)
    measured.send(20)

    assert measured.chirps() == before + 20
    assert sorted(measured.folder.glob("*/*")) == files


def test_metrics_are_neither_at_the_port_of_the_api_nor_in_memory_when_they_are_off(
    measured: Measured, server: Server
) -> None:
    code = (
        "import sys; from app import app;"
        "from chirpy.server.metrics import count_requests, serve_metrics; serve_metrics(app);"
        "print(count_requests(app, 0).__name__, 'prometheus_client' in sys.modules)"
    )

    off = run_python(PROJECT, "-c", code, **NO_SETTINGS | SECRETS | {"PLATFORM": "dev"})

    assert off.stdout == "count_nothing False\n"
    for each in (measured.server, server):
        assert each.request("GET", "/metrics").status == 404


def test_start_on_a_metrics_port_in_use_suggests_another(database_url: URL, server: Server) -> None:
    settings = SECRETS | {"DB_URL": url_text(database_url), "PORT": str(free_port())}
    message = run_python(PROJECT, "app.py", **settings, METRICS_PORT=str(server.port)).stdout

    assert f"METRICS_PORT={server.port + 1} make run" in message
    assert len(message.splitlines()) == 2


def test_start_without_a_folder_for_metrics_ends_and_a_worker_serves_without_them(
    database_url: URL, log: StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(FOLDER, os.devnull)
    monkeypatch.setattr(tempfile, "tempdir", os.devnull)
    with an_app(database_url, metrics_port=free_port()) as app:
        with pytest.raises(SystemExit, match="Next: set TMPDIR to a folder"):
            serve_metrics(app)
        assert count_requests(app, 0) is count_nothing
        assert app.test_client().get("/api/healthz").status_code == 200

    assert json.loads(log.getvalue())["next"] == "free space in TMPDIR, then restart Chirpy"


def test_worker_without_space_leaves_no_file_that_breaks_the_metrics_of_others(
    database_url: URL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(FOLDER, str(tmp_path))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        with an_app(database_url, metrics_port=free_port()) as app:
            assert count_requests(app, 0) is count_nothing
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    collector: Any = MultiProcessCollector  # which has no types
    assert list(collector(CollectorRegistry(), tmp_path).collect()) == []


# The labels of a request


@pytest.fixture
def counted_client(database_url: URL) -> Iterator[FlaskClient]:
    """Yield a client of an application that counts requests, and requires both credentials."""
    with an_app(database_url, polka_webhook_secrets=KEYS) as app:
        counting.start(app)
        yield app.test_client()


UPGRADE = json.dumps(an_event(KNOWN_USER)).encode()
OLD = signed(UPGRADE, timestamp="1614265330")
LABELS: dict[str, tuple[str, str, bytes, dict[str, str], str]] = {
    "path_not_found": ("GET", "/api/no/such/path", b"", {}, "none"),
    "wrong_method": ("BREW", "/api/chirps", b"", {}, "none"),
    "unknown_chirp": ("GET", f"/api/chirps/{KNOWN_USER}", b"", {}, "/api/chirps/<chirp_id>"),
    "authorization_missing": ("POST", "/api/refresh", b"", {}, "/api/refresh"),
    "wrong_key": ("POST", PATH, UPGRADE, signed(UPGRADE), PATH),
    "wrong_signature": ("POST", PATH, UPGRADE, API_KEY | signed(UPGRADE, FOREIGN_SECRET), PATH),
    "wrong_time": ("POST", PATH, UPGRADE, API_KEY | OLD, PATH),
    "invalid_json": ("POST", PATH, b"{", API_KEY | signed(b"{"), PATH),
    "invalid_fields": ("POST", PATH, b"{}", API_KEY | signed(b"{}"), PATH),
    "unknown_user": ("POST", PATH, UPGRADE, API_KEY | signed(UPGRADE), PATH),
}


@pytest.mark.parametrize("outcome", LABELS)
def test_refused_request_is_counted_with_its_reason_by_its_route_and_not_by_its_path(
    counted_client: FlaskClient, outcome: str
) -> None:
    method, path, body, headers, route = LABELS[outcome]

    response = counted_client.open(path, method=method, data=body, headers=headers)
    counting.write()

    method = "other" if method == "BREW" else method
    status = str(response.status_code)
    labels = {"method": method, "route": route, "status": status, "outcome": outcome}
    assert REGISTRY.get_sample_value("chirpy_requests_total", labels) == 1


# The last delivery


def last_accepted(deliveries: LastDelivery) -> list[float]:
    return [sample.value for gauge in deliveries.collect() for sample in gauge.samples]


def test_last_delivery_is_that_of_the_log_and_known_while_the_database_is_down(
    database_url: URL, sql: Sql
) -> None:
    with an_app(database_url) as app, an_app(UNREACHABLE) as other:
        deliveries = LastDelivery(app)
        assert last_accepted(deliveries) == [0]
        sql(
            """INSERT INTO webhook_events
                (event_id, type, first_delivered_at, last_delivered_at)
            VALUES ('a', 'x', to_timestamp(1000), to_timestamp(3000)),
                ('b', 'x', to_timestamp(2000), to_timestamp(2000))"""
        )
        assert last_accepted(deliveries) == [3000]
        deliveries.app = other
        assert last_accepted(deliveries) == [3000]
        assert last_accepted(LastDelivery(other)) == []


# The files for operators


def expressions() -> list[str]:
    """Return the expressions of all alerts and panels."""
    alerts = yaml.safe_load(ALERTS.read_text())["groups"]
    panels = json.loads(DASHBOARD.read_text())["panels"]
    return [
        *(rule["expr"] for group in alerts for rule in group["rules"]),
        *(target["expr"] for panel in panels for target in panel["targets"]),
    ]


def refusals(parent: type[Refused] = Refused) -> Iterator[type[Refused]]:
    for child in parent.__subclasses__():
        yield child
        yield from refusals(child)


def test_alerts_dashboard_and_docs_name_metrics_and_outcomes_that_exist(
    measured: Measured,
) -> None:
    exported = {name for name, *_ in measured.samples()}
    page = (PROJECT / "docs/operations.md").read_text()
    text = "\n".join(expressions())
    quoted = re.findall(r'outcome=~?"([^"]+)"', text)
    outcomes = {counting.reason_of(refusal) for refusal in refusals()}

    assert set(re.findall(r"chirpy_\w+", text)) <= exported
    assert set(re.findall(r"`(chirpy_\w+)`", page)) - {"chirpy_request_seconds"} <= exported
    assert {name for names in quoted for name in names.split("|")} <= outcomes
    assert {*re.findall(r'route="([^"]+)"', text)} == {PATH}


@pytest.mark.skipif(
    not (os.environ.get("CI") or shutil.which("promtool")), reason="promtool is not installed"
)
def test_promtool_accepts_the_alerts_and_the_expressions_of_the_dashboard(tmp_path: Path) -> None:
    rules = [
        {"record": f"expression_{number}", "expr": expr.replace("$__rate_interval", "5m")}
        for number, expr in enumerate(expressions())
    ]
    panels = tmp_path / "panels.yml"
    panels.write_text(json.dumps({"groups": [{"name": "panels", "rules": rules}]}))
    tests = PROJECT / "tests/server/prometheus_alerts.yml"

    subprocess.run(["promtool", "check", "rules", ALERTS, panels], check=True)
    subprocess.run(["promtool", "test", "rules", tests], check=True)


def test_gunicorn_with_the_documented_file_has_metrics(database_url: URL) -> None:
    [config] = re.findall(r"```python\n(# gunicorn\.conf\.py\n[^`]*)```", DEPLOYING)
    port = free_port()
    code = f"""{config}
import os
from types import SimpleNamespace
from urllib.request import urlopen
when_ready(None)
worker = SimpleNamespace(pid=os.getpid())
post_worker_init(worker)
from app import app
app.test_client().get("/api/healthz")
while "healthz" not in (text := urlopen("http://127.0.0.1:{port}/metrics").read().decode()):
    pass
if not (child := os.fork()):
    raise SystemExit  # as a worker ends; the folder is not its own
os.waitpid(child, 0)
print(text)
child_exit(None, worker)
print(os.listdir(os.environ["PROMETHEUS_MULTIPROC_DIR"]))
"""
    settings: dict[str, Any] = NO_SETTINGS | SECRETS | {"DB_URL": url_text(database_url)}

    printed = run_python(PROJECT, "-c", code, **settings | {"METRICS_PORT": str(port)}).stdout

    assert 'outcome="ok",route="/api/healthz",status="200"} 1.0' in printed
    assert "gauge" not in printed.splitlines()[-1]
    assert "counter" in printed.splitlines()[-1]
