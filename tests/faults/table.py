"""The table of all faults in docs/reliability.md. `python -m tests.faults.table` writes it."""

import re
from collections.abc import Iterator

from tests.faults.cases import FAULTS
from tests.faults.faults import SUCCESS
from tests.faults.points import ORDER
from tests.faults.requests import NO_ANSWER
from tests.support.server import PROJECT

PAGE = PROJECT / "docs" / "reliability.md"
TABLE = re.compile(r"^\| Fault \|.*?\n(?!\|)", re.MULTILINE | re.DOTALL)
HEADER = ["Fault", "When", "Answer", "Within", "Left in the database"]
ANSWERS = {SUCCESS: "204", NO_ANSWER: "none"}


def rows() -> Iterator[list[str]]:
    """Yield the cells of each row. Points with the same outcome share one."""
    yield HEADER
    yield ["---"] * len(HEADER)
    for fault in FAULTS:
        points = sorted(fault.outcomes, key=ORDER.index)
        for outcome in dict.fromkeys(fault.outcomes[point] for point in points):
            when = "; ".join(point for point in points if fault.outcomes[point] == outcome)
            answers = " or ".join(ANSWERS.get(status, str(status)) for status in outcome.answers)
            yield [fault.name, when, answers, f"{outcome.seconds:g} s", outcome.left]


def table() -> str:
    """Return the table in Markdown."""
    return "".join(f"| {' | '.join(row)} |\n" for row in rows())


if __name__ == "__main__":
    page = PAGE.read_text()
    PAGE.write_text(TABLE.sub(lambda _: table(), page))
