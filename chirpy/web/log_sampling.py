"""Keep strangers from filling the disk: of similar warnings in a second, log a few and a count.

INFO lines are not sampled: they are logged because LOG_REQUESTS asks for one for each request.
"""

import logging
from collections import Counter
from threading import Lock, Timer
from time import monotonic
from typing import Any

LOG = logging.getLogger(__name__)
LINES = 5  # of each kind in a second, in each process
WARNINGS = 20  # of all kinds together: requests can be refused in 40 ways
PERIOD = 1  # seconds

Kind = tuple[Any, ...]


class Sampling(logging.Filter):
    """Let the first LINES warnings and errors of a kind pass in each second, and count the others.

    Of all warnings together, WARNINGS pass; errors are rare enough. A kind is a message and, for
    requests, the status and the endpoint, but neither path nor client. The count is logged when a
    second has passed; that of the last second is lost at exit.
    """

    def __init__(self) -> None:
        super().__init__()
        self.lock = Lock()
        self.period, self.seen, self.passed = 0, Counter[Kind](), Counter[int]()
        self.omitted, self.examples = Counter[Kind](), dict[Kind, logging.LogRecord]()

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether this line is logged."""
        if record.levelno < logging.WARNING or record.name == __name__:
            return True
        kind = kind_of(record)
        with self.lock:
            period = int(monotonic() / PERIOD)
            if period != self.period:
                self.period, self.seen, self.passed = period, Counter(), Counter()
            if self.has_room(kind, record.levelno):
                return True
            self.count_omitted(kind, record)
            return False

    def has_room(self, kind: Kind, level: int) -> bool:
        """Count a line, and return whether the period has room for it."""
        self.seen[kind] += 1
        if self.seen[kind] > LINES:
            return False
        self.passed[level] += 1
        return level > logging.WARNING or self.passed[level] <= WARNINGS

    def count_omitted(self, kind: Kind, record: logging.LogRecord) -> None:
        """Count a line that is not logged. The first starts a timer, which logs the counts."""
        if not self.omitted:
            timer = Timer(PERIOD, self.log_omitted)
            timer.daemon = True
            timer.start()
        self.omitted[kind] += 1
        self.examples[kind] = record

    def log_omitted(self) -> None:
        """Log how many lines of each kind were omitted."""
        with self.lock:
            omitted, examples = self.omitted, self.examples
            self.omitted, self.examples = Counter(), {}
        for kind, count in omitted.items():
            like = examples[kind].getMessage()
            extra = {"facts": {"omitted": count, "like": like}}
            LOG.log(examples[kind].levelno, "Omitted %s more like: %s", count, like, extra=extra)


def kind_of(record: logging.LogRecord) -> Kind:
    """Return what a line has in common with similar ones."""
    status = getattr(record, "facts", {}).get("status")
    return record.name, record.levelno, str(record.msg), status, getattr(record, "endpoint", None)
