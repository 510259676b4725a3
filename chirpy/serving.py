"""From `python app.py` to a server that answers: check the port, migrate, greet, serve."""

import errno
import os
import signal
import socket
from functools import partial
from typing import Any

import click
from flask import Flask

from chirpy.migrating import StartError, bring_up_to_date
from chirpy.settings import Settings
from chirpy.workers import let_workers_be_stopped_early, load_in_worker, server

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


def serve(app: Flask, settings: Settings) -> None:
    """Serve `app` until SIGTERM or SIGINT. Raises StartError, or SystemExit once all is said."""
    with claim_port(settings.host, settings.port):
        bring_up_to_date(app)
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        click.echo(GREETING.format(url=f"http://{host}:{settings.port}"))
        let_workers_be_stopped_early()
        granian = server(settings)
        # Granian would start afresh; a terminal that is closed should leave nobody on the port,
        # unless nohup has the signal ignored.
        ignored = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
        closed = signal.SIG_IGN if ignored else granian.signal_handler_interrupt
        granian.on_startup(lambda: signal.signal(signal.SIGHUP, closed))
        granian.serve(target_loader=partial(load_in_worker, os.getpid()), wrap_loader=False)


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
