"""The table `webhook_events`: one row for each event, however often it was delivered."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from chirpy.database.base import NEW_ID, NOW, Base

PROVIDER = "polka"
MAX_EVENT_ID_LENGTH = 255  # characters
MAX_TYPE_LENGTH = 255
OUTCOMES = ("applied", "stale", "ignored")  # a duplicate is one more delivery, not an event


class WebhookEvent(Base):
    """An event of the provider.

    `event_id` is the provider's id, or a key made of the whole body. `occurred_at` is the
    provider's time, if it sent one. `fingerprint` is the SHA-256 of type and data: it shows that an
    id is used for another event. `outcome` is `applied` if a delivery has set the membership, or
    else that of the first delivery. `user_id` is what the provider sent. It is not a foreign key:
    events outlive their users.
    """

    __tablename__ = "webhook_events"
    __table_args__ = (
        UniqueConstraint("provider", "event_id"),
        CheckConstraint(
            f"char_length(event_id) BETWEEN 1 AND {MAX_EVENT_ID_LENGTH}", "event_id_length"
        ),
        CheckConstraint(f"char_length(type) BETWEEN 1 AND {MAX_TYPE_LENGTH}", "type_length"),
        CheckConstraint("octet_length(fingerprint) = 32", "fingerprint_length"),
        CheckConstraint(f"outcome IN {OUTCOMES}", "outcome"),
        Index("ix_webhook_events_first_delivered_at_id", "first_delivered_at", "id"),
        Index(
            "ix_webhook_events_user_id_first_delivered_at_id",
            "user_id",
            "first_delivered_at",
            "id",
            postgresql_where=text("user_id IS NOT NULL"),
        ),
        CheckConstraint("deliveries >= 1", "deliveries"),
        CheckConstraint("first_delivered_at <= last_delivered_at", "delivered_in_order"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=NEW_ID)
    provider: Mapped[str] = mapped_column(server_default=text(f"'{PROVIDER}'"))
    event_id: Mapped[str]
    type: Mapped[str]
    user_id: Mapped[UUID | None]
    occurred_at: Mapped[datetime | None]
    body: Mapped[str | None]
    fingerprint: Mapped[bytes | None]
    outcome: Mapped[str] = mapped_column(server_default=text("'ignored'"))
    deliveries: Mapped[int] = mapped_column(server_default=text("1"))
    first_delivered_at: Mapped[datetime] = mapped_column(server_default=NOW)
    last_delivered_at: Mapped[datetime] = mapped_column(server_default=NOW)
