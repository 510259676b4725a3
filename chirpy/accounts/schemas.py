"""What goes in and comes out where users are concerned."""

from typing import Any, cast

from marshmallow import Schema, ValidationError, fields, pre_load, validates

from chirpy.accounts.models import LONGEST_EMAIL
from chirpy.database import Record
from chirpy.fields import Id, Instant, Shape, Text

LONGEST_PASSWORD = 1024  # characters; argon2 takes more, but nobody types it


class CredentialsSchema(Shape):
    """`{email, password}`. The email loses the blanks around it and keeps its case."""

    email = Text(longest=LONGEST_EMAIL)
    password = Text(longest=LONGEST_PASSWORD)

    @pre_load
    def trim(self, given: Any, **_: Any) -> Any:
        if isinstance(given, dict) and isinstance(email := given.get("email"), str):
            return given | {"email": email.strip()}
        return given


class NewCredentialsSchema(CredentialsSchema):
    """Credentials to keep: the email must look like one."""

    @validates("email")
    def has_two_sides(self, email: str, **_: Any) -> None:
        name, at, domain = email.rpartition("@")
        if not (name and at and domain) or not email.isprintable() or " " in email:
            raise ValidationError("must look like name@example.com")


class UserSchema(Schema):
    """A user as everybody may see them: never a password or a hash of one."""

    id = Id()
    created_at = Instant()
    updated_at = Instant()
    email = fields.Str()
    is_chirpy_red = fields.Bool()


credentials = CredentialsSchema()
new_credentials = NewCredentialsSchema()
user_schema = UserSchema()


def shown(user: Record) -> dict[str, Any]:
    """A row of `users` as it goes out."""
    return cast("dict[str, Any]", user_schema.dump(user))
