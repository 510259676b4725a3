"""The table of chirps."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from chirpy.chirps.wording import MAX_CHIRP_LENGTH
from chirpy.database.base import NEW_ID, NOW, Base

MAX_KEY_LENGTH = 255  # characters of an Idempotency-Key


class Chirp(Base):
    """A chirp, with its cleaned body.

    If it was posted with an Idempotency-Key, the row also has that key and the SHA-256 of the body
    before cleaning.
    """

    __tablename__ = "chirps"
    __table_args__ = (
        CheckConstraint(f"char_length(body) BETWEEN 1 AND {MAX_CHIRP_LENGTH}", "body_length"),
        CheckConstraint(
            f"char_length(idempotency_key) BETWEEN 1 AND {MAX_KEY_LENGTH}", "idempotency_key_length"
        ),
        CheckConstraint(
            "(idempotency_key IS NULL) = (posted_hash IS NULL)", "idempotency_key_with_hash"
        ),
        Index("ix_chirps_created_at_id", "created_at", "id"),
        Index("ix_chirps_user_id_created_at_id", "user_id", "created_at", "id"),
        Index(
            "uq_chirps_user_id_idempotency_key",
            "user_id",
            "idempotency_key",
            unique=True,
            postgresql_where=text("idempotency_key IS NOT NULL"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=NEW_ID)
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
    updated_at: Mapped[datetime] = mapped_column(server_default=NOW)
    body: Mapped[str]
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    idempotency_key: Mapped[str | None]
    posted_hash: Mapped[bytes | None]
