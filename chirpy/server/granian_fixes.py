"""Workarounds for granian 2.8.7. See https://github.com/emmett-framework/granian.

1. granian replaces a worker that ended (issue 148), unless it had replaced that worker less than
   5.5 seconds before: then the whole server ends, because the worker probably cannot start. But a
   worker that was killed by SIGKILL, for instance because the machine is short of memory, should
   always be replaced. No upstream issue is known.
2. A worker that is still starting ignores SIGTERM, because it inherits the handler of the parent
   process. The parent then waits, and finally kills it. No upstream issue is known; a comment on
   pull request 579 describes workers that do not stop.
3. granian does not notice that a worker is stuck.
4. granian makes a task on the event loop for each request, and wakes the loop for each part of a
   body. When the task ends without a response, granian responds 500. Here nothing waits on the
   loop, and a thread responds later. Without the loop, a webhook takes a fifth less processor
   time.
"""

import os
import signal
from asyncio import AbstractEventLoop, new_event_loop, set_event_loop
from collections.abc import Callable
from functools import partial
from threading import Thread
from time import monotonic, sleep
from typing import Any

from granian import _futures
from granian._loops import loops
from granian.server import mp

from chirpy.server.bodies import BodyReceiver
from chirpy.server.granian_signals import ReentrantEvent
from chirpy.server.heartbeats import Heartbeats, watch

RESPAWN_PAUSE = 0.5  # seconds, so that a worker that is killed repeatedly does not use all CPU time
START_TIME = 0.5  # seconds until a worker serves; most need a fifth of it


class PatchedServer(mp.MPServer):
    """granian's server of several processes, with the first three workarounds.

    It calls its `target_loader` with the index of the worker, and with a function that counts a
    heartbeat of the worker.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.main_loop_interrupt = ReentrantEvent()
        self.heartbeats = Heartbeats(self.workers)
        watching = Thread(target=watch, args=(self.heartbeats, self.wrks), daemon=True)
        self.on_startup(watching.start)

    def _spawn_worker(self, *args: Any, **options: Any) -> Any:
        index, load = options["idx"], options["callback_loader"]
        self.heartbeats.forget(index)
        options["callback_loader"] = partial(load, index, partial(self.heartbeats.beat, index))
        return super()._spawn_worker(*args, **options)

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
        stop_workers: Callable[[], None] = super()._stop_workers  # which has no types
        stop_workers()


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


def call_application_directly() -> None:
    """Let granian's thread call the application, and what receives bodies, not the event loop."""

    def wrap(application: Callable[[Any, Any], None]) -> Callable[[Any], None]:
        return lambda watcher: application(watcher.scope, watcher.proto)

    def scheduler(_loop: object, _context: object, call: Callable[[Any], None]) -> Any:
        def schedule(watcher: Any) -> None:
            try:
                call(watcher)
            except BaseException as error:  # noqa: BLE001 - granian logs it
                watcher.err(error)

        return schedule

    vars(mp)["_future_watcher_wrapper"] = wrap
    vars(_futures)["_cbsched_aioschedule"] = scheduler
    loops.register("asyncio")(build_loop)


def build_loop() -> AbstractEventLoop:
    """Return an event loop that calls a BodyReceiver in the thread in which its future ends."""

    def direct(call: Callable[..., Any]) -> Callable[..., Any]:
        def call_directly(callback: Any, *args: Any, **options: Any) -> Any:
            if isinstance(callback, BodyReceiver):
                return callback(*args)
            return call(callback, *args, **options)

        return call_directly

    loop = new_event_loop()
    set_event_loop(loop)
    for name in ("call_soon", "call_soon_threadsafe"):
        vars(loop)[name] = direct(getattr(loop, name))
    return loop
