"""The marshmallow fields that requests and responses of several rooms share."""

import re
from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError, fields

UNSTORABLE = re.compile("[\0\ud800-\udfff]")  # NUL and lone surrogates: Postgres refuses both
STORABLE = r"^[^\u0000]*$"  # for the API reference; JSON Schema has no lone surrogates
MESSAGES: dict[str, str | list[Any] | dict[Any, Any]] = {
    "required": "is missing",
    "null": "must not be null",
}


class RequestSchema(Schema):
    """A schema of a body or a query string. Unknown keys are ignored."""

    error_messages = {"type": "must be a JSON object"}  # noqa: RUF012 (marshmallow declares it so)

    class Meta:
        unknown = EXCLUDE

    def handle_error(self, error: ValidationError, *_: Any, **__: Any) -> None:
        names = (f"`{field.data_key or name}`" for name, field in self.fields.items())
        error.kwargs["hint"] = f"Fields of this route: {', '.join(names)}"


class ResponseSchema(Schema):
    """A schema of a response, which always has all members."""

    def on_bind_field(self, field_name: str, field_obj: fields.Field[Any]) -> None:  # noqa: ARG002
        field_obj.required = True  # for the API reference; responses are not validated


class TextField(fields.Str):
    """A string of 1 to `max_length` code points that Postgres can store."""

    default_error_messages = MESSAGES

    def __init__(
        self, *, max_length: int | None = None, required: bool = True, **options: Any
    ) -> None:
        bounds = {"minLength": 1, "pattern": STORABLE}
        bounds |= {"maxLength": max_length} if max_length else {}
        bounds |= options.pop("metadata", {})
        super().__init__(required=required, metadata=bounds, **options)
        self.max_length = max_length

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> str:
        if not isinstance(value, str):
            raise ValidationError("must be a string")
        if found := UNSTORABLE.search(value):
            raise ValidationError(
                f"contains the character \\u{ord(found[0]):04x}, which cannot be stored"
            )
        if not value:
            raise ValidationError("must not be empty")
        if self.max_length is not None and len(value) > self.max_length:
            raise ValidationError(f"is longer than {self.max_length} characters")
        return value
