"""From `python app.py` to a server that answers: check the port, migrate, greet, serve."""

import errno
import os
import signal
import socket
from functools import partial
from importlib import import_module
from threading import Thread
from time import sleep
from typing import Any

import click
from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from flask import Flask
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server.mp import MPServer

from chirpy.database import MIGRATIONS, db
from chirpy.settings import Settings

HEAD_LIMIT = 16 * 1024  # bytes of request line and headers; beyond them the server answers 431
GRACE = 15  # seconds for the requests under way, each of which has shorter limits of its own
PAUSE = 0.5  # seconds between the end of a worker and its successor
ORPHAN_CHECK = 0.5  # seconds

LAST_PORT = 65535
PORT_STEPS = {
    errno.EADDRINUSE: "stop what listens there, or take another port: PORT={other} make run",
    errno.EACCES: "take a port that anybody may use, from 1024 on: PORT=8080 make run",
}

GREETING = """\
Chirpy serves on {url}    (stop it with Ctrl-C)

Try it from another terminal:
  curl {url}/api/healthz
  curl {url}/api/users -d '{{"email": "walt@example.com", "password": "04234"}}'
  curl {url}/api/login -d '{{"email": "walt@example.com", "password": "04234"}}'
"""


class StartError(Exception):
    """Why the server can't start, and what to do about it."""


def serve(app: Flask, settings: Settings) -> None:
    """Serve `app` until SIGTERM or SIGINT. Raises StartError."""
    with claim_port(settings.host, settings.port):
        bring_up_to_date(app)
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        click.echo(GREETING.format(url=f"http://{host}:{settings.port}"))
        let_workers_be_stopped_early()
        granian = server(settings)
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as nohup would have it
            # Granian would start afresh; a terminal that is closed should leave nobody on the port.
            stop = granian.signal_handler_interrupt
            granian.on_startup(lambda: signal.signal(signal.SIGHUP, stop))
        granian.serve(target_loader=partial(load_in_worker, os.getpid()), wrap_loader=False)


def server(settings: Settings) -> MPServer:
    """Granian, with a process for each worker."""
    return MPServer(
        "app:app",
        address=settings.host,
        port=settings.port,
        interface=Interfaces.WSGI,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(max_buffer_size=HEAD_LIMIT),
        websockets=False,
        workers=settings.workers,
        blocking_threads=settings.threads,
        respawn_failed_workers=True,
        respawn_interval=PAUSE,
        workers_kill_timeout=GRACE,
        log_level=LogLevels.error,
    )


def claim_port(host: str, port: int) -> socket.socket:
    """Bind the port, so that of two starts at once only one goes on. Raises StartError.

    The claim holds for as long as the socket is open.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return bound(socket.socket(family), address)
    except OSError as error:
        other = port + 1 if port < LAST_PORT else port - 1
        step = PORT_STEPS.get(error.errno or 0, "correct HOST").format(other=other)
        raise StartError(
            f"Chirpy can't listen on {host} port {port}: {error.strerror}.\nNext: {step}"
        ) from None


def bound(claim: socket.socket, address: Any) -> socket.socket:
    """Bind alone at first, which fails wherever somebody listens; then let the workers in."""
    try:
        claim.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        claim.bind(address)
        claim.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)
        claim.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    except OSError:
        claim.close()
        raise
    return claim


def bring_up_to_date(app: Flask) -> None:
    """Apply the migrations that are missing. Raises StartError, for an unreachable database too."""
    with app.app_context():
        try:
            command.upgrade(alembic_config(), "head")
        except CommandError as error:
            raise StartError(str(error)) from None
        db.engine.dispose()  # workers may be forked from here, and no two share a connection


def let_workers_be_stopped_early() -> None:
    """Make SIGTERM end a worker that has no handler of its own yet.

    The one that is forked along would take the signal for the parent's and do nothing; meanwhile
    the signal is held back.
    """

    def release() -> None:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])

    def reset() -> None:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        release()

    os.register_at_fork(
        before=lambda: signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM]),
        after_in_parent=release,
        after_in_child=reset,
    )


def alembic_config() -> Config:
    """What Alembic must know before it runs `migrations/env.py`."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    return config


def load_in_worker(parent: int) -> Any:
    """The application of one worker process, which ends when its parent does.

    Were the parent killed outright, its workers would otherwise go on holding the port.
    """
    # Ctrl-C is for the parent alone, which then tells its workers: told twice, granian 2.8.7 hangs.
    os.setpgid(0, 0)
    Thread(target=end_with, args=(parent,), daemon=True).start()
    return import_module("app").app


def end_with(parent: int) -> None:
    """Wait until `parent` is gone, then stop this process as SIGTERM does."""
    while os.getppid() == parent:
        sleep(ORPHAN_CHECK)
    os.kill(os.getpid(), signal.SIGTERM)
