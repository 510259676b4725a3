"""Retry transactions after a serialization failure or a deadlock."""

from collections.abc import Callable
from functools import wraps
from random import random
from time import sleep
from typing import ParamSpec, TypeVar

from sqlalchemy.exc import DBAPIError

from chirpy.database.errors import sqlstate

CONFLICT_SQLSTATES = ("40001", "40P01")  # serialization failure, deadlock
MAX_ATTEMPTS = 4
RETRY_PAUSE = 0.02  # seconds at most before the second attempt; random, so that conflicts resolve
P = ParamSpec("P")
R = TypeVar("R")


def retry_conflicts(transaction: Callable[P, R]) -> Callable[P, R]:
    """Run a whole transaction again after a serialization failure or a deadlock."""

    @wraps(transaction)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        for attempt in range(1, MAX_ATTEMPTS):
            try:
                return transaction(*args, **kwargs)
            except DBAPIError as error:
                if sqlstate(error) not in CONFLICT_SQLSTATES:
                    raise
                sleep(random() * attempt * RETRY_PAUSE)
        return transaction(*args, **kwargs)

    return run
