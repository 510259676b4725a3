"""Files whose locks say who is at work on a cluster; the kernel frees them, even after kill -9."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Self

from chirpy.devtools.postgres.failures import PostgresFailed
from chirpy.devtools.postgres.place import Place

TURN = "turn.lock"  # held by the one process that starts, stops or deletes
HOLDERS = "holders.lock"  # shared by the processes that use the server
ALIVE = "alive.lock"  # held by every process of the server itself, which inherits it

PATIENCE = 120.0  # seconds to wait for one's turn: somebody's first start, and a stop
PAUSE = 0.02  # seconds between two looks


def open_file(place: Place, name: str) -> int:
    """Return a new descriptor of the lock file `name`, closed in any program we run."""
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(place.home / name, flags, 0o600)
    if os.fstat(descriptor).st_uid != place.owner.uid:
        os.fchown(descriptor, place.owner.uid, place.owner.gid)
    return descriptor


def obtains(descriptor: int, kind: int = fcntl.LOCK_EX) -> bool:
    """Try to lock, without waiting."""
    with suppress(BlockingIOError):
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
        return True
    return False


@contextmanager
def turn(place: Place) -> Iterator[None]:
    """Be the only one, among all threads and processes, to start or stop this server."""
    descriptor = wait_for_turn(place)
    try:
        yield
    finally:
        # Not by closing alone: a process forked meanwhile has a copy that would keep the lock.
        fcntl.flock(descriptor, fcntl.LOCK_UN)
        os.close(descriptor)


def wait_for_turn(place: Place) -> int:
    """Return the locked descriptor of a file that has not been deleted meanwhile."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        descriptor = open_file(place, TURN)
        if obtains(descriptor) and os.fstat(descriptor).st_nlink:
            return descriptor
        os.close(descriptor)
        time.sleep(PAUSE)
    raise PostgresFailed(
        f"Another process has been busy with {place.home} for {PATIENCE:.0f} seconds. "
        f"See who with `lsof {place.home / TURN}`, and stop it."
    )


class Hold:
    """The claim of one process that it needs the server."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._process = os.getpid()

    @classmethod
    def on(cls, place: Place) -> Self:
        """Take part in holding the server."""
        descriptor = open_file(place, HOLDERS)
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        return cls(descriptor)

    @property
    def is_ours(self) -> bool:
        """Whether this process took it; a forked child finds its parent's."""
        return self._process == os.getpid()

    def drop(self) -> None:
        """Close our copy; unlocking would take the claim from those forked from us as well."""
        os.close(self._descriptor)


def nobody_holds(place: Place) -> bool:
    """Whether no process needs the server any more."""
    return is_free(place, HOLDERS)


def is_alive(place: Place) -> bool:
    """Whether any process of the server exists, an orphan of a killed one included.

    Unlike a process id in a file this cannot be mistaken for a zombie or for a stranger.
    """
    return not is_free(place, ALIVE)


def is_free(place: Place, name: str) -> bool:
    """Whether nobody has locked the file `name`."""
    descriptor = open_file(place, name)
    try:
        return obtains(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def life(place: Place) -> Iterator[int | None]:
    """Lend the lock that a new server inherits, None while an old one still has it."""
    descriptor = open_file(place, ALIVE)
    try:
        yield descriptor if obtains(descriptor) else None
    finally:
        os.close(descriptor)
