"""The type of the commands' options that take a time."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import click

UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
AGE = re.compile(rf"(\d{{1,6}})([{''.join(UNITS)}])")


class TimeOption(click.ParamType[datetime]):
    """A time: an age such as `90d` or `12h`, or ISO 8601, in UTC if it has no zone.

    With `past`, a time in the future is refused.
    """

    name = "TIME"

    def __init__(self, *, past: bool = False) -> None:
        self.past = past

    def convert(self, value: Any, param: Any, ctx: Any) -> datetime:
        time = self.parse(value, param, ctx)
        if self.past and time > datetime.now(UTC):
            self.fail(f"{value!r} is in the future", param, ctx)
        return time

    def parse(self, value: Any, param: Any, ctx: Any) -> datetime:
        """Return the time, with a zone."""
        try:
            if age := AGE.fullmatch(value):
                return datetime.now(UTC) - timedelta(**{UNITS[age[2]]: int(age[1])})
            time = datetime.fromisoformat(value)
        except (ValueError, OverflowError):
            self.fail(
                f"{value!r} is neither an age such as 90d or 12h nor a time such as 2026-01-31",
                param,
                ctx,
            )
        return time if time.tzinfo else time.replace(tzinfo=UTC)
