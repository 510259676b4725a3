"""Configure granian, which starts, replaces and stops the worker processes."""

import os
import signal
from threading import Thread
from time import sleep
from typing import Any

from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels
from werkzeug.utils import import_string

from chirpy.server.granian_fixes import (
    PatchedServer,
    leave_process_group,
    stop_starting_workers_on_sigterm,
)
from chirpy.settings import Settings

MAX_HEADER_BYTES = 16 * 1024  # request line and headers; the server answers 431 to more
GRACE_PERIOD = 15  # seconds for requests in progress, each of which has shorter limits of its own
THREAD_IDLE = 600  # seconds until an idle thread ends, and closes its database connection
PARENT_CHECK = 0.5  # seconds between two checks that the parent process is running


def create_server(settings: Settings) -> PatchedServer:
    """Return granian with the settings' workers and threads."""
    stop_starting_workers_on_sigterm()
    return PatchedServer(
        "chirpy",  # not used: `serve` is given a loader
        address=settings.host,
        port=settings.port,
        interface=Interfaces.WSGI,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(max_buffer_size=MAX_HEADER_BYTES),
        websockets=False,
        workers=settings.workers,
        blocking_threads=settings.threads,
        blocking_threads_idle_timeout=THREAD_IDLE,
        respawn_failed_workers=True,
        workers_kill_timeout=GRACE_PERIOD,
        log_level=LogLevels.error,
    )


def load_in_worker(parent: int, target: str) -> Any:
    """Return the application at `target`. Called in each worker process, which ends with `parent`.

    Without that, the workers of a parent that was killed would keep the port.
    """
    leave_process_group()
    Thread(target=stop_with, args=(parent,), daemon=True).start()
    return import_string(target)


def stop_with(parent: int) -> None:
    """Wait until `parent` has ended, then stop this process with SIGTERM."""
    while os.getppid() == parent:
        sleep(PARENT_CHECK)
    os.kill(os.getpid(), signal.SIGTERM)
