"""Metrics for Prometheus, if METRICS_PORT is set: workers count, and the main process serves.

They have a port of their own, so that no client of the API sees them. The main process also serves
them while workers are overloaded, stuck or replaced. prometheus-client is imported only if it is
needed.
"""

from collections.abc import Callable

from flask import Flask

from chirpy.settings import EXTENSION, Settings

CountRefused = Callable[[str], object]  # is given the method of a request


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
        return bool  # does nothing
    from chirpy.server.metrics import counting, sampling

    counting.use_files_of(worker)
    counting.start(app)
    sampling.start(app)
    return counting.count_overload
