"""Configure granian, which starts, replaces and stops the worker processes."""

import asyncio
import os
import resource
import signal
from collections.abc import Callable
from functools import partial

from flask import Flask
from granian.constants import HTTPModes, Interfaces, Loops
from granian.http import HTTP1Settings
from granian.log import LogLevels
from werkzeug.utils import import_string

from chirpy.server.adapter import Adapter
from chirpy.server.granian_fixes import (
    PatchedServer,
    call_application_directly,
    stop_starting_workers_on_sigterm,
)
from chirpy.server.granian_signals import leave_process_group, stop_workers_once
from chirpy.server.metrics import count_requests
from chirpy.server.overload import Overload
from chirpy.server.threads import TICK
from chirpy.settings import Settings

MAX_HEADER_BYTES = 16 * 1024  # request line and headers; the server answers 431 to more
GRACE_PERIOD = 15  # seconds for requests in progress, each of which has shorter limits of its own
HEADER_TIMEOUT = 10  # seconds for all headers, and until an idle connection closes
MAX_CONNECTIONS = 4096  # of each process; further ones wait in the kernel
OTHER_FILES = 200  # that a process opens at most, connections to the database included

# At the import, which every worker process does that is spawned and not forked, as on macOS.
stop_workers_once()
call_application_directly()


def create_server(settings: Settings) -> PatchedServer:
    """Return granian with the settings' workers and threads."""
    stop_starting_workers_on_sigterm()
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
        backpressure=possible_connections(),
        respawn_failed_workers=True,
        workers_kill_timeout=GRACE_PERIOD,
        log_level=LogLevels.error,
    )


def possible_connections() -> int:
    """Return how many connections each process may accept. Raise the limit of open files for them.

    granian does nothing but try to accept the next one when it reaches that limit.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MAX_CONNECTIONS + OTHER_FILES
    limit = wanted if hard == resource.RLIM_INFINITY else min(hard, wanted)
    if soft != resource.RLIM_INFINITY and soft < limit:
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
    return max(1, limit - OTHER_FILES)


def load_in_worker(
    parent: int, target: str, threads: int, worker: int, beat: Callable[[], None]
) -> Adapter:
    """Return the application at `target` for granian. Called in each worker process."""
    leave_process_group()
    app: Flask = import_string(target)
    overload = Overload(app, count_requests(app, worker))
    adapter = Adapter(app, threads, overload)
    tick(asyncio.get_event_loop(), beat, partial(stop_without, parent), adapter.look_at_time)
    return adapter


def tick(loop: asyncio.AbstractEventLoop, *actions: Callable[[], None]) -> None:
    """Run the actions, now and whenever TICK seconds have passed."""
    loop.call_later(TICK, tick, loop, *actions)
    for action in actions:
        action()


def stop_without(parent: int) -> None:
    """Stop this process with SIGTERM if `parent` was killed: it would keep the port."""
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGTERM)
