"""Transactions: one done again for another one's sake, one refused by name."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from random import random
from time import sleep
from typing import ParamSpec, TypeVar

from sqlalchemy.exc import DBAPIError, IntegrityError

TRIES = 4
RETRY_PAUSE = 0.02  # seconds at most before the second try; two that met must not meet again
UNDONE = ("40001", "40P01")  # serialization failure, deadlock
P = ParamSpec("P")
R = TypeVar("R")


def retried(act: Callable[P, R]) -> Callable[P, R]:
    """Do a whole transaction again if Postgres has undone it for the sake of another one."""

    @wraps(act)
    def again(*args: P.args, **kwargs: P.kwargs) -> R:
        for attempt in range(1, TRIES):
            try:
                return act(*args, **kwargs)
            except DBAPIError as error:
                if getattr(error.orig, "pgcode", None) not in UNDONE:
                    raise
                sleep(random() * attempt * RETRY_PAUSE)
        return act(*args, **kwargs)

    return again


@contextmanager
def refusing(constraint: str, refusal: Callable[[], Exception]) -> Iterator[None]:
    """Raise `refusal()` when the statements below are refused by `constraint`."""
    try:
        yield
    except IntegrityError as error:
        if getattr(getattr(error.orig, "diag", None), "constraint_name", None) == constraint:
            raise refusal() from None
        raise
