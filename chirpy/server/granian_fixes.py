"""Workarounds for granian 2.8.7. See https://github.com/emmett-framework/granian.

1. granian replaces a worker that ended (issue 148), unless it had replaced that worker less than
   5.5 seconds before: then the whole server ends, because the worker probably cannot start. But a
   worker that was killed by SIGKILL, for instance because the machine is short of memory, should
   always be replaced. No upstream issue is known.
2. A worker that is still starting ignores SIGTERM, because it inherits the handler of the parent
   process. The parent then waits, and finally kills it. No upstream issue is known; a comment on
   pull request 579 describes workers that do not stop.
3. granian does not notice that a worker is stuck.
4. granian runs a coroutine for each request on the event loop, and when that ends without a
   response, it responds 500. Here a thread responds later; a coroutine that waits for it costs a
   tenth of the requests per second, and a request without a body needs none.
"""

import os
import signal
from asyncio import AbstractEventLoop
from collections.abc import Awaitable, Callable
from functools import partial
from threading import Thread
from time import monotonic, sleep
from typing import Any

from granian import _futures
from granian.server import mp

from chirpy.server.granian_signals import ReentrantEvent
from chirpy.server.heartbeats import Heartbeats, watch

RESPAWN_PAUSE = 0.5  # seconds, so that a worker that is killed repeatedly does not use all CPU time
START_TIME = 0.5  # seconds until a worker serves; most need a fifth of it


class PatchedServer(mp.MPServer):
    """granian's server of several processes, with the first three workarounds.

    It calls its `target_loader` with a function that counts a heartbeat of the worker.
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
        options["callback_loader"] = partial(load, partial(self.heartbeats.beat, index))
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


def let_threads_respond() -> None:
    """Call the application in granian's thread. If it returns a coroutine, run that on the loop."""

    def wrap(application: Callable[[Any, Any], Any]) -> Callable[[Any], Any]:
        return lambda watcher: application(watcher.scope, watcher.proto)

    def scheduler(loop: AbstractEventLoop, context: Any, answer: Callable[[Any], Any]) -> Any:
        async def run(coroutine: Awaitable[None], watcher: Any) -> None:
            try:
                await coroutine
            except BaseException as error:  # noqa: BLE001 - granian logs it
                watcher.err(error)

        def start(coroutine: Awaitable[None], watcher: Any) -> None:
            watcher.taskref(loop.create_task(run(coroutine, watcher)))

        def schedule(watcher: Any) -> None:
            try:
                coroutine = answer(watcher)
            except BaseException as error:  # noqa: BLE001 - granian logs it
                watcher.err(error)
            else:
                if coroutine is not None:
                    loop.call_soon_threadsafe(start, coroutine, watcher, context=context)

        return schedule

    vars(mp)["_future_watcher_wrapper"] = wrap
    vars(_futures)["_cbsched_aioschedule"] = scheduler
