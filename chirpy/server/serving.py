"""Serve the application: reserve the port, migrate the database, start the workers."""

import gc
import os
import signal
import sys
from functools import partial
from pathlib import Path

import click
from flask import Flask

from chirpy.server.doctor.origins import examine
from chirpy.server.dotenv import read_settings
from chirpy.server.metrics import serve_metrics
from chirpy.server.migrations import MigrationFailed, migrate
from chirpy.server.port import PortUnavailable, reserve_port
from chirpy.server.readiness import warn_unless_usable
from chirpy.server.workers import create_server, load_in_worker
from chirpy.settings import Settings, SettingsError

GREETING = """\
Chirpy serves on {url}    (press Ctrl-C to stop)

Open it in a browser, or try it from another terminal:
  curl {url}/api/healthz
  curl {url}/api/users -d '{{"email": "walt@example.com", "password": "04234"}}'
  curl {url}/api/login -d '{{"email": "walt@example.com", "password": "04234"}}'
"""


def read_settings_or_exit(dotenv: Path) -> Settings:
    """Return the settings, or exit with a message that names each wrong or missing one.

    `flask doctor` gets what is valid: it reports the rest.
    """
    try:
        return read_settings(dotenv)
    except SettingsError as error:
        # Also `flask --app app doctor`. But `python app.py doctor` would serve with them.
        if "FLASK_RUN_FROM_CLI" in os.environ and "doctor" in sys.argv[1:4]:
            return examine(dotenv, os.environ).settings()
        sys.exit(str(error))


def serve(app: Flask, settings: Settings, target: str) -> None:
    """Serve `app` until SIGTERM, SIGINT or SIGHUP; exit with a message if it cannot start.

    `target` is where each worker process imports the application, such as `app:app`.
    """
    try:
        reservation = reserve_port(settings.host, settings.port)
        serve_metrics(app)
        migrate(app)
        warn_unless_usable(app)
    except (PortUnavailable, MigrationFailed) as error:
        sys.exit(str(error))
    with reservation:
        click.echo(GREETING.format(url=url_to_open(settings.host, settings.port)))
        run_workers(settings, target)


def url_to_open(host: str, port: int) -> str:
    """Return the URL for clients on this machine: of localhost if `host` is 0.0.0.0 or ::."""
    name = host if host.strip("0.:") else "localhost"
    return f"http://[{name}]:{port}" if ":" in name else f"http://{name}:{port}"


def run_workers(settings: Settings, target: str) -> None:
    """Run the worker processes until SIGTERM, SIGINT or SIGHUP."""
    server = create_server(settings)
    # granian would reload on SIGHUP. A closed terminal should stop the server, unless nohup made
    # this process ignore the signal.
    ignored = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    on_hangup = signal.SIG_IGN if ignored else server.signal_handler_interrupt
    server.on_startup(lambda: signal.signal(signal.SIGHUP, on_hangup))
    # Workers share the memory of this process until they write to it, and a garbage collection
    # writes to every object. With frozen objects a worker has 16 MiB of its own instead of 33
    # (after 50,000 requests; the whole server with two workers 85 instead of 120).
    gc.freeze()
    loader = partial(load_in_worker, os.getpid(), target, settings.threads)
    server.serve(target_loader=loader, wrap_loader=False)
