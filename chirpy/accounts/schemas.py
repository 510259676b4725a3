"""The bodies of requests and responses about users."""

from typing import Any, NamedTuple

from marshmallow import ValidationError, fields, post_load, pre_load, validates

from chirpy.accounts.models import MAX_EMAIL_LENGTH
from chirpy.accounts.users import UserRow
from chirpy.web.fields import RequestSchema, ResponseSchema, TextField
from chirpy.web.timestamps import TimestampField
from chirpy.web.uuids import UUIDField

EMAIL = r"^\s*\S+@[^\s@]+\s*$"  # for the API reference; invisible characters are refused too
MAX_PASSWORD_LENGTH = 1024  # characters; argon2 accepts more, at a cost


class Credentials(NamedTuple):
    """What a user logs in with."""

    email: str
    password: str


class CredentialsSchema(RequestSchema):
    """`{email, password}`. Spaces around the email are removed; its case stays."""

    email = TextField(max_length=MAX_EMAIL_LENGTH)
    password = TextField(max_length=MAX_PASSWORD_LENGTH)

    @pre_load
    def trim_email(self, body: Any, **_: Any) -> Any:
        if isinstance(body, dict) and isinstance(email := body.get("email"), str):
            return body | {"email": email.strip()}
        return body

    @post_load
    def make_credentials(self, data: dict[str, str], **_: Any) -> Credentials:
        return Credentials(**data)


class NewCredentialsSchema(CredentialsSchema):
    """Credentials to store: the email must look like one."""

    email = TextField(max_length=MAX_EMAIL_LENGTH, metadata={"pattern": EMAIL})

    @validates("email")
    def validate_email(self, email: str, **_: Any) -> None:
        name, at, domain = email.rpartition("@")
        if not (name and at and domain) or not email.isprintable() or " " in email:
            raise ValidationError("must look like name@example.com")


class UserSchema(ResponseSchema):
    """A user as every client may see them: never a password or a hash of one."""

    id = UUIDField()
    created_at = TimestampField()
    updated_at = TimestampField()
    email = fields.Str()
    is_chirpy_red = fields.Bool()


credentials_schema = CredentialsSchema()
new_credentials_schema = NewCredentialsSchema()
user_schema = UserSchema()


def dump_user(user: UserRow) -> dict[str, Any]:
    """Return the user as a response shows them."""
    body: dict[str, Any] = user_schema.dump(user)
    return body
