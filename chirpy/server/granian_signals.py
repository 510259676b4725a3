"""Workarounds for the signal handlers of granian 2.8.7. No upstream issues are known.

1. The main process waits for a threading.Event, which its signal handlers set. That is not
   reentrant: a signal that arrives while another handler or the wait is inside the Event, as SIGHUP
   after SIGTERM from systemd with SendSIGHUP, deadlocks the process. And of two signals, both can
   reach other threads: then no handler runs, because the main thread does not wake up.
2. A worker can hang that receives several stop signals: `WorkerSignal.set` blocks, with the GIL,
   when the channel behind it is full. Ctrl-C in a terminal sends SIGINT to all processes, and
   the parent then sends SIGTERM to its workers.
"""

import asyncio
import os
import signal
from contextlib import suppress
from functools import cache
from socket import socketpair
from threading import Event

from granian import _signals
from granian._granian import WorkerSignal

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class ReentrantEvent(Event):
    """What granian needs of an Event. A socket keeps its state, to which each signal writes too."""

    def __init__(self) -> None:
        super().__init__()
        self._receiver, self._sender = socketpair()
        self._sender.setblocking(False)
        signal.set_wakeup_fd(self._sender.fileno(), warn_on_full_buffer=False)

    def set(self) -> None:
        """Let `wait` return."""
        with suppress(BlockingIOError):  # it is full, so `wait` will return
            self._sender.send(b"\0")

    def wait(self, timeout: float | None = None) -> bool:  # noqa: ARG002 - granian gives none
        """Wait for a `set` or a signal."""
        return bool(self._receiver.recv(4096))

    def clear(self) -> None:
        """Do nothing, so that no `set` before the next `wait` is lost."""


def stop_workers_once() -> None:
    """Let each worker ignore further stop signals."""

    def set_loop_signals(loop: asyncio.AbstractEventLoop) -> WorkerSignal:
        stop = WorkerSignal()
        set_once = cache(stop.set)
        for number in STOP_SIGNALS:
            loop.add_signal_handler(number, set_once)
        return stop

    vars(_signals)["set_loop_signals"] = set_loop_signals


def leave_process_group() -> None:
    """Move this worker to a process group of its own, so that Ctrl-C reaches only the parent."""
    os.setpgid(0, 0)
