"""Run many servers without a database: `python -m tests.support.stoppable_servers NUMBER`.

Each is granian as Chirpy configures it, with one worker, and its main process is forked by this
one, because a start takes long. The id of a main process is printed when its worker starts, and
again, with the exit code, when it has ended.
"""

import os
import sys
from typing import NoReturn

import click
from flask import Flask

from chirpy.server.serving import run_workers
from chirpy.settings import EXTENSION, Settings

NAME = "tests.support.stoppable_servers"  # not __main__
SETTINGS = Settings(jwt_secret="x" * 32, port=0, workers=1, threads=1)


def __getattr__(name: str) -> Flask:
    """Return the application, which each worker gets from here when it starts."""
    if name != "app":
        raise AttributeError(name)
    click.echo(os.getppid())
    app = Flask(__name__)
    app.extensions[EXTENSION] = SETTINGS
    return app


def run_server() -> NoReturn:
    """Run a server until it is stopped, and exit."""
    run_workers(SETTINGS, f"{NAME}:app")
    os._exit(0)


if __name__ == "__main__":
    for _ in range(int(sys.argv[1])):
        if os.fork() == 0:
            run_server()
    for _ in range(int(sys.argv[1])):
        process, status = os.wait()
        click.echo(f"{process} {os.waitstatus_to_exitcode(status)}")
