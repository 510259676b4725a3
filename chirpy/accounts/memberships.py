"""Show who is Chirpy Red. A chirp names its author by id only."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from marshmallow import fields
from marshmallow.validate import Length
from sqlalchemy import ARRAY, Uuid, any_, bindparam, cast, select

from chirpy.accounts.users import MEMBERSHIPS
from chirpy.database.autocommit import run_autocommit
from chirpy.web.fields import RequestSchema, ResponseSchema
from chirpy.web.uuids import UUIDField

MAX_USERS = 100  # in one request, as chirps in a page; their ids take 5 KiB of the URL
USER_IDS = cast(bindparam("user_ids"), ARRAY(Uuid))
FIND_RED = select(MEMBERSHIPS.c.user_id).where(
    MEMBERSHIPS.c.is_chirpy_red, MEMBERSHIPS.c.user_id == any_(USER_IDS)
)


class MembershipQuerySchema(RequestSchema):
    """`?user_id=…&user_id=…`, 1 to 100 times."""

    user_id = fields.List(
        UUIDField(),
        required=True,
        metadata={"example": ["3311741c-680c-4546-99f3-fc9efac2036c"]},
        validate=Length(1, MAX_USERS, error="must be given {min} to {max} times"),
    )


class MembershipSchema(ResponseSchema):
    """Whether a user is Chirpy Red."""

    user_id = UUIDField()
    is_chirpy_red = fields.Bool()


membership_query_schema = MembershipQuerySchema()
memberships_schema = MembershipSchema(many=True)


def list_memberships(user_ids: Sequence[UUID]) -> list[dict[str, Any]]:
    """Return whether each user is Chirpy Red. An unknown user is not."""
    rows = run_autocommit(FIND_RED, {"user_ids": [str(user_id) for user_id in user_ids]})
    red = {user_id for [user_id] in rows}
    members = [{"user_id": each, "is_chirpy_red": each in red} for each in user_ids]
    shown: list[dict[str, Any]] = memberships_schema.dump(members)
    return shown
