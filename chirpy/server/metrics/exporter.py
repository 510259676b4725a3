"""Serve what all workers have counted, and the time of the last delivery."""

import atexit
import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from shutil import rmtree
from tempfile import mkdtemp
from typing import Any

from flask import Flask
from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.metrics_core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError

from chirpy.database.deadlines import within
from chirpy.database.engine import AUTOCOMMIT, db
from chirpy.server.port import reserve_port
from chirpy.webhooks.delivery_log import last_delivery

FOLDER = "PROMETHEUS_MULTIPROC_DIR"  # prometheus-client reads it in each worker
NEXT_STEP = "set TMPDIR to a folder that Chirpy can write to, or unset METRICS_PORT"
LIMIT = 1.5  # seconds for the database; Prometheus waits for 10


def serve(app: Flask, host: str, port: int) -> None:
    """Serve the metrics from a thread, at any path. Raise PortUnavailable, or exit without folder.

    The folder of the counts is a new one: those of an earlier run do not count.
    """
    reserve_port(host, port, "METRICS_").close()
    try:
        folder = os.environ[FOLDER] = mkdtemp(prefix="chirpy-metrics-")
    except OSError as error:
        sys.exit(f"Chirpy cannot keep metrics: {error}.\nNext: {NEXT_STEP}")
    atexit.register(remove, folder, os.getpid())
    registry = CollectorRegistry()
    add_collector: Any = MultiProcessCollector  # which has no types
    add_collector(registry, folder)
    registry.register(LastDelivery(app))
    start_http_server(port, host, registry)


def remove(folder: str, owner: int) -> None:
    """Delete the folder, unless a process calls this that `owner` has forked."""
    if os.getpid() == owner:
        rmtree(folder, ignore_errors=True)


class LastDelivery(Collector):
    """The time of the last delivery that was accepted, by any server on this database.

    It comes from the delivery log, so a restart does not change it. While the database does not
    answer, it is the time that was read before.
    """

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.seconds: float | None = None

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield the time, unless it was never read."""
        # A connection of its own, because those of the pools would be shared with forked workers.
        with (
            suppress(SQLAlchemyError),
            self.app.app_context(),
            within(LIMIT),
            db.engines[AUTOCOMMIT].connect() as connection,
        ):
            self.seconds = last_delivery(connection)
        if self.seconds is not None:
            yield GaugeMetricFamily(
                "chirpy_webhook_last_accepted_timestamp_seconds",
                "When the last webhook was accepted, on any server; 0 if none was.",
                self.seconds,
            )
