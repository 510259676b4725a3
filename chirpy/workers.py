"""The processes that answer: granian, which starts them, replaces them and stops them."""

import os
import signal
from importlib import import_module
from threading import Thread
from time import monotonic, sleep
from typing import Any

from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server.mp import MPServer

from chirpy.settings import Settings

HEAD_LIMIT = 16 * 1024  # bytes of request line and headers; beyond them the server answers 431
GRACE = 15  # seconds for the requests under way, each of which has shorter limits of its own
THREAD_IDLE = 600  # seconds until a thread ends, at most; what it keeps would be connected anew
PAUSE = 0.5  # seconds, lest one that is killed again and again keeps a processor busy
SETTLED = 0.5  # seconds after which a worker serves; most take a fifth of that
ORPHAN_CHECK = 0.5  # seconds


class Granian(MPServer):
    """Granian, which replaces a worker that is killed soon after it replaced one that was killed.

    By itself, granian 2.8.7 ends when a worker dies within 5.5 seconds of having been started
    instead of another. That is right for one that can't start, but whoever is killed from outside,
    as by a machine short of memory, is no reason to stop serving.
    """

    def _respawn_workers(self, workers: list[int], *args: Any, **options: Any) -> None:
        killed = [idx for idx in workers if self.wrks[idx].inner.exitcode == -signal.SIGKILL]
        super()._respawn_workers(workers, *args, **options)
        for idx in killed:
            self.respawned_wrks.pop(idx, None)
        if killed:
            sleep(PAUSE)

    def _stop_workers(self) -> None:
        """Stop them once all of them serve: granian 2.8.7 loses what it tells one that starts."""
        youngest = max((worker.birth for worker in self.wrks), default=0.0)
        sleep(max(0.0, youngest + SETTLED - monotonic()))
        super()._stop_workers()  # type: ignore[no-untyped-call]


def server(settings: Settings) -> Granian:
    """Granian, with a process for each worker."""
    return Granian(
        "app:app",
        address=settings.host,
        port=settings.port,
        interface=Interfaces.WSGI,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(max_buffer_size=HEAD_LIMIT),
        websockets=False,
        workers=settings.workers,
        blocking_threads=settings.threads,
        blocking_threads_idle_timeout=THREAD_IDLE,
        respawn_failed_workers=True,
        workers_kill_timeout=GRACE,
        log_level=LogLevels.error,
    )


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
