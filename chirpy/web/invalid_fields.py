"""The errors of marshmallow as one refusal that names each invalid field by its path."""

from collections.abc import Iterator, Mapping
from typing import Any

from marshmallow import ValidationError

from chirpy.web.refused import Refused

REQUEST_BODY = "The request body"  # as a key of `fields`


class InvalidFields(Refused):
    """Fields of a body or a query string, or a part of a path, are invalid."""

    status = 400
    hint = "GET /docs shows what each route accepts"

    def __init__(self, error: ValidationError) -> None:
        messages = error.messages
        if not isinstance(messages, Mapping):
            messages = {error.field_name: messages}
        fields = dict(flatten_messages(messages))
        # `body` is a field, of a chirp; the request body is not.
        subjects = (path if path == REQUEST_BODY else f"`{path}`" for path in fields)
        sentences = map(" ".join, zip(subjects, fields.values(), strict=True))
        super().__init__("; ".join(sentences), fields=fields, hint=error.kwargs.get("hint", ""))


def flatten_messages(messages: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield marshmallow's nested messages as pairs of a dotted path and one text."""
    if isinstance(messages, Mapping):
        for name, nested in messages.items():
            nested_path = path if name == "_schema" else f"{path}.{name}" if path else str(name)
            yield from flatten_messages(nested, nested_path)
    else:
        yield path or REQUEST_BODY, ", ".join(map(str, messages))
