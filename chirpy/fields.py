"""What a field of a request, an answer or a setting may hold, for the schemas of every room."""

import re
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from marshmallow import EXCLUDE, Schema, ValidationError, fields

CANONICAL_UUID = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE
)
DIGITS = re.compile("[0-9]{1,18}")
UNSTORABLE = re.compile("[\0\ud800-\udfff]")  # NUL and lone surrogates: Postgres refuses both
MESSAGES: dict[str, str | list[Any] | dict[Any, Any]] = {
    "required": "is missing",
    "null": "must not be null",
}


class Shape(Schema):
    """What a body or a query must look like; keys it does not name are ignored."""

    error_messages = {"type": "must be a JSON object"}  # noqa: RUF012 (marshmallow declares it so)

    class Meta:
        unknown = EXCLUDE


class Text(fields.Field[str]):
    """A string of 1 to `longest` code points that Postgres can store."""

    default_error_messages = MESSAGES

    def __init__(
        self, *, longest: int | None = None, required: bool = True, **options: Any
    ) -> None:
        super().__init__(required=required, **options)
        self.longest = longest

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> str:
        if not isinstance(value, str):
            raise ValidationError("must be a string")
        if found := UNSTORABLE.search(value):
            raise ValidationError(
                f"contains the character \\u{ord(found[0]):04x}, which no text may"
            )
        if not value:
            raise ValidationError("must not be empty")
        if self.longest is not None and len(value) > self.longest:
            raise ValidationError(f"is longer than {self.longest} characters")
        return value


class WholeNumber(fields.Field[int]):
    """A number in a query or a setting, `least` to `most`; `int()` also takes 1_000, +1 and ١."""

    def __init__(self, least: int, most: int, **options: Any) -> None:
        super().__init__(**options)
        self.bounds = range(least, most + 1)
        self.problem = f"must be a whole number from {least} to {most}"

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> int:
        if not DIGITS.fullmatch(value) or int(value) not in self.bounds:
            raise ValidationError(self.problem)
        return int(value)


class Id(fields.Field[UUID]):
    """A UUID in its canonical form, 8-4-4-4-12 hexadecimal digits in either case."""

    default_error_messages = MESSAGES

    def _serialize(self, value: UUID | None, *_: Any, **__: Any) -> str | None:
        return None if value is None else str(value)

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> UUID:
        return canonical_uuid(value)


class Instant(fields.Field[datetime]):
    """A moment: RFC 3339, UTC, `Z`, microseconds."""

    def _serialize(self, value: datetime | None, *_: Any, **__: Any) -> str | None:
        return (
            None
            if value is None
            else value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        )


def canonical_uuid(value: Any) -> UUID:
    """Read a UUID; `uuid.UUID()` alone also takes braces, `urn:uuid:` and no hyphens.

    Raises ValidationError.
    """
    if not isinstance(value, str) or not CANONICAL_UUID.fullmatch(value):
        raise ValidationError("must be a UUID such as 3311741c-680c-4546-99f3-fc9efac2036c")
    return UUID(value)


def uuid_in_path(value: str) -> UUID:
    """Read a UUID that is part of a path. Raises ValidationError."""
    try:
        return canonical_uuid(value)
    except ValidationError as error:
        raise ValidationError(error.messages, "id") from None
