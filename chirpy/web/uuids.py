"""UUIDs in requests and responses, in their canonical form only."""

import re
from typing import Any
from uuid import UUID

from marshmallow import ValidationError, fields

from chirpy.web.fields import MESSAGES

CANONICAL_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


class UUIDField(fields.UUID):
    """A UUID in its canonical form: 8-4-4-4-12 hexadecimal digits in either case."""

    default_error_messages = MESSAGES

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> UUID:
        return parse_uuid(value)


def parse_uuid(value: Any) -> UUID:
    """Return the UUID; `uuid.UUID()` alone also accepts other forms. Raise ValidationError."""
    if not isinstance(value, str) or not CANONICAL_UUID.fullmatch(value):
        raise ValidationError("must be a UUID such as 3311741c-680c-4546-99f3-fc9efac2036c")
    return UUID(value)


def parse_path_uuid(value: str) -> UUID:
    """Return the UUID in a path. Raise ValidationError that names it `id`."""
    try:
        return parse_uuid(value)
    except ValidationError as error:
        raise ValidationError(error.messages, "id") from None
