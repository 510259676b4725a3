"""Let a bounded number of threads in, first come, first served."""

from collections import deque
from collections.abc import Hashable
from math import inf
from threading import Lock
from weakref import WeakValueDictionary

from chirpy.database.waits import current_wait


class Slots:
    """A semaphore that is fair, and whose waiting ends in time.

    Threading's Semaphore takes 2 µs more, and lets a thread that returns immediately pass others
    that wait. SimpleQueue.get (Python 3.11) can wait for several times its timeout then.
    """

    def __init__(self, number: int) -> None:
        self.number = self._free = number
        self._lock = Lock()
        self._waiting: deque[Lock] = deque()

    def acquire(self, timeout: float) -> bool:
        """Take a slot, after waiting for up to `timeout` seconds. Return whether there was one."""
        with self._lock:
            if self._free:
                self._free -= 1
                return True
            turn = Lock()
            turn.acquire()
            self._waiting.append(turn)
        wait = current_wait.get()
        wait.begin_long()
        has_turn = turn.acquire(timeout=timeout)
        wait.since = inf
        with self._lock:
            if has_turn or turn not in self._waiting:  # it was given the slot in the last moment
                return True
            self._waiting.remove(turn)
            return False

    @property
    def taken(self) -> int:
        """How many slots are taken now."""
        return self.number - self._free

    def release(self) -> None:
        """Give the slot to the thread that has waited longest, or back."""
        with self._lock:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._free += 1


class SlotsByKey:
    """The same number of slots for each key, as long as any thread uses them."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._slots: WeakValueDictionary[Hashable, Slots] = WeakValueDictionary()

    def slots(self, key: Hashable, number: int) -> Slots:
        """Return the slots of a key."""
        with self._lock:
            slots = self._slots.get(key)
            if slots is None:
                slots = self._slots[key] = Slots(number)
            return slots
