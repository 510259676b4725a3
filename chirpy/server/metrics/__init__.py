"""Metrics for Prometheus, if METRICS_PORT is set: workers count, and the main process serves.

They have a port of their own, so that no client of the API sees them. The main process also serves
them while workers are overloaded, stuck or replaced. prometheus-client is imported only if it is
needed.
"""

import logging
from collections.abc import Callable

from flask import Flask

from chirpy.settings import EXTENSION, Settings
from chirpy.web import logs

LOG = logging.getLogger(__name__)
CountRefused = Callable[[str, float], object]  # is given the method, and the time in seconds


def serve_metrics(app: Flask) -> None:
    """Serve what all workers count, from a thread. Raise PortUnavailable.

    Call it in the main process, before a worker starts.
    """
    settings: Settings = app.extensions[EXTENSION]
    if settings.metrics_port:
        from chirpy.server.metrics.exporter import serve

        serve(app, settings.metrics_host, settings.metrics_port)


def count_requests(app: Flask, worker: int) -> CountRefused:
    """Count the requests of this worker. Return what counts those that `app` does not see.

    No other running worker may have this number. A worker continues the counts of an earlier one
    with the same number.
    """
    settings: Settings = app.extensions[EXTENSION]
    if not settings.metrics_port:
        return count_nothing
    from chirpy.server.metrics import counting, sampling

    try:
        counting.use_files_of(worker)
    except OSError as error:
        facts = logs.facts(cause=str(error), next="free space in TMPDIR, then restart Chirpy")
        LOG.warning("A worker has no metrics", extra=facts)
        return count_nothing
    counting.start(app)
    sampling.start(app)
    return counting.count_overload


def count_nothing(_method: str, _seconds: float) -> None:
    """Count nothing."""
