"""Workarounds for granian 2.8.7 (https://github.com/emmett-framework/granian).

- A worker that dies within 5.5 seconds of its start ends the whole server. That is right for a
  worker that cannot start, but a worker that was killed from outside, for instance because the
  machine is short of memory, should be replaced.
- SIGTERM is lost if it reaches a worker that is still starting: it inherits the parent's handler,
  which does nothing there.
"""

import os
import signal
from time import monotonic, sleep
from typing import Any

from granian.server.mp import MPServer

RESPAWN_PAUSE = 0.5  # seconds, so that a worker that is killed repeatedly does not use all CPU time
START_TIME = 0.5  # seconds until a worker serves; most need a fifth of it


class Granian(MPServer):
    """granian's server of several processes, with workers that are replaced and stopped safely."""

    def _respawn_workers(self, workers: list[int], *args: Any, **options: Any) -> None:
        killed = [index for index in workers if self.wrks[index].inner.exitcode == -signal.SIGKILL]
        super()._respawn_workers(workers, *args, **options)
        for index in killed:
            self.respawned_wrks.pop(index, None)
        if killed:
            sleep(RESPAWN_PAUSE)

    def _stop_workers(self) -> None:
        youngest = max((worker.birth for worker in self.wrks), default=0.0)
        sleep(max(0.0, youngest + START_TIME - monotonic()))
        super()._stop_workers()  # type: ignore[no-untyped-call]


def stop_starting_workers_on_sigterm() -> None:
    """Give each forked worker the default handler of SIGTERM, and block the signal until then."""

    def unblock() -> None:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])

    def reset() -> None:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        unblock()

    os.register_at_fork(
        before=lambda: signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM]),
        after_in_parent=unblock,
        after_in_child=reset,
    )
