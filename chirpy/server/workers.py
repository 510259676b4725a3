"""Configure granian, which starts, replaces and stops the worker processes."""

import os
import signal
from threading import Thread
from time import sleep

from flask import Flask
from granian.constants import HTTPModes, Interfaces, Loops
from granian.http import HTTP1Settings
from granian.log import LogLevels
from werkzeug.utils import import_string

from chirpy.server.adapter import Adapter
from chirpy.server.granian_fixes import (
    PatchedServer,
    leave_process_group,
    let_threads_respond,
    stop_starting_workers_on_sigterm,
)
from chirpy.server.overload import Overload
from chirpy.settings import Settings

MAX_HEADER_BYTES = 16 * 1024  # request line and headers; the server answers 431 to more
GRACE_PERIOD = 15  # seconds for requests in progress, each of which has shorter limits of its own
HEADER_TIMEOUT = (
    10  # seconds for the request line and all headers, and until an idle connection closes
)
MAX_CONNECTIONS = 4096  # of each process; further ones wait in the kernel
PARENT_CHECK = 0.5  # seconds between two checks that the parent process is running


def create_server(settings: Settings) -> PatchedServer:
    """Return granian with the settings' workers and threads."""
    stop_starting_workers_on_sigterm()
    let_threads_respond()
    return PatchedServer(
        "chirpy",  # not used: `serve` is given a loader
        address=settings.host,
        port=settings.port,
        interface=Interfaces.ASGINL,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(
            max_buffer_size=MAX_HEADER_BYTES, header_read_timeout=1000 * HEADER_TIMEOUT
        ),
        loop=Loops.asyncio,
        websockets=False,
        workers=settings.workers,
        backpressure=MAX_CONNECTIONS,
        respawn_failed_workers=True,
        workers_kill_timeout=GRACE_PERIOD,
        log_level=LogLevels.error,
    )


def load_in_worker(parent: int, target: str, threads: int) -> Adapter:
    """Return the application at `target` for granian. Called in each worker process.

    The process ends with `parent`. Without that, the workers of a parent that was killed would keep
    the port.
    """
    leave_process_group()
    Thread(target=stop_with, args=(parent,), daemon=True).start()
    app: Flask = import_string(target)
    return Adapter(app, threads, Overload(app))


def stop_with(parent: int) -> None:
    """Wait until `parent` has ended, then stop this process with SIGTERM."""
    while os.getppid() == parent:
        sleep(PARENT_CHECK)
    os.kill(os.getpid(), signal.SIGTERM)
