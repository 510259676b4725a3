"""What an event does to a user's membership.

A membership remembers as of when it is so, and by which event. An event changes it only if it
happened later; of two that happened at the same moment the one with the greater id, byte by byte,
counts as later. So the order of arrival never matters.
"""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import text

from chirpy.database import db
from chirpy.errors import Refused
from chirpy.transactions import refusing

EFFECTS = {"user.upgraded": True, "user.downgraded": False}  # type of event: Chirpy Red after it

APPLY = text("""
    WITH before AS (
        SELECT is_chirpy_red FROM memberships WHERE user_id = :user_id
    ), changed AS (
        INSERT INTO memberships AS membership (user_id, is_chirpy_red, as_of, event_id)
        VALUES (:user_id, :is_chirpy_red, coalesce(:occurred_at, now()), :event_id)
        ON CONFLICT (user_id) DO UPDATE
        SET is_chirpy_red = excluded.is_chirpy_red,
            as_of = excluded.as_of,
            event_id = excluded.event_id
        WHERE (membership.as_of, membership.event_id) < (excluded.as_of, excluded.event_id)
        RETURNING user_id
    )
    UPDATE webhook_events
    SET outcome = CASE
        WHEN EXISTS (SELECT FROM changed) THEN 'applied'
        WHEN deliveries > 1 THEN outcome  -- a repeat takes back nothing that the event has done
        ELSE 'stale'
    END
    WHERE id = :record_id
    RETURNING outcome, (SELECT is_chirpy_red FROM before) AS was_chirpy_red
""")


class Effect(NamedTuple):
    """What became of an event: `applied` or `stale`, and whether the user was not so before."""

    outcome: str
    differs: bool


def apply(
    record_id: UUID, user_id: UUID, is_chirpy_red: bool, event_id: str, occurred_at: datetime | None
) -> Effect:
    """Let the recorded event act on the user's membership, unless a later one already has.

    Without `occurred_at` it counts as happening now. Raises Refused, 404, for an unknown user.
    """
    parameters = {
        "record_id": record_id,
        "user_id": user_id,
        "is_chirpy_red": is_chirpy_red,
        "event_id": event_id,
        "occurred_at": occurred_at,
    }
    with refusing("fk_memberships_user_id_users", unknown_user):
        after = db.session.execute(APPLY, parameters).one()
    return Effect(after.outcome, after.was_chirpy_red is not is_chirpy_red)


def unknown_user() -> Refused:
    """404; nothing is kept, so a later delivery counts."""
    return Refused(404, "No such user", fields={"data.user_id": "is nobody's id"})
