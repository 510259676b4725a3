"""The exception for every refused request. It is free of Flask, so domain code can raise it."""

from collections.abc import Mapping


class Refused(Exception):
    """A request that is refused with an HTTP status and an error that the client reads.

    Each room has one subclass for each reason, with its status, in its `errors.py`. `fields` maps
    the path of a field, such as `data.user_id`, to what is wrong with it. `reason` is for the log.
    """

    status = 400
    error = "The request is not valid"
    hint = ""  # what to do next
    header: tuple[str, str] | None = None  # that the status requires, such as Allow of a 405

    def __init__(
        self,
        error: str = "",
        *,
        hint: str = "",
        fields: Mapping[str, str] | None = None,
        reason: str = "",
    ) -> None:
        self.error = error or self.error
        self.hint = hint or self.hint
        self.fields = fields or {}
        self.reason = reason or self.error
        super().__init__(self.error)
