"""The tables of users, refresh tokens, memberships, and counters of attempts."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from chirpy.database.base import NEW_ID, NOW, Base

MAX_EMAIL_LENGTH = 254  # RFC 5321, 4.5.3.1.3, as its erratum 1690 reads it


class User(Base):
    """A user. The email is unique; upper and lower case are the same."""

    __tablename__ = "users"
    __table_args__ = (
        CheckConstraint(f"length(email) BETWEEN 1 AND {MAX_EMAIL_LENGTH}", "email_length"),
        Index("uq_users_lower_email", text("lower(email)"), unique=True),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=NEW_ID)
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
    updated_at: Mapped[datetime] = mapped_column(server_default=NOW)
    email: Mapped[str]
    # 'unset' matches no password: a user who was inserted without one cannot log in.
    hashed_password: Mapped[str] = mapped_column(server_default="unset")


class RefreshToken(Base):
    """A refresh token of a user. Only its SHA-256 is stored."""

    __tablename__ = "refresh_tokens"
    __table_args__ = (
        CheckConstraint("octet_length(token_hash) = 32", "token_hash_length"),
        Index("ix_refresh_tokens_user_id", "user_id"),
    )

    token_hash: Mapped[bytes] = mapped_column(primary_key=True)
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
    updated_at: Mapped[datetime] = mapped_column(server_default=NOW)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    expires_at: Mapped[datetime] = mapped_column(server_default=text("now() + interval '60 days'"))
    revoked_at: Mapped[datetime | None]


class Membership(Base):
    """Whether a user is Chirpy Red, and the id and time of the event that decided it."""

    __tablename__ = "memberships"

    user_id: Mapped[UUID] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), primary_key=True
    )
    is_chirpy_red: Mapped[bool]
    as_of: Mapped[datetime]
    # Compared byte by byte, so that the locale does not decide between events of the same time.
    event_id: Mapped[str] = mapped_column(Text(collation="C"))


class AttemptCounter(Base):
    """How many logins have failed, or users signed up, for one account or address.

    `key` is a hash of what is counted, `empty_at` the time when the counter is 0 again.
    """

    __tablename__ = "attempt_counters"
    __table_args__ = (
        Index("ix_attempt_counters_empty_at", "empty_at"),
        {"prefixes": ["UNLOGGED"]},  # as after a crash, when it is empty, no attempt was made
    )

    key: Mapped[bytes] = mapped_column(primary_key=True)
    empty_at: Mapped[datetime]
