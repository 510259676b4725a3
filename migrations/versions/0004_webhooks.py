"""Create the tables webhook_events and memberships"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "webhook_events",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("provider", sa.Text(), server_default="polka", nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Uuid()),
        sa.Column("occurred_at", sa.TIMESTAMP(True)),
        sa.Column("body", sa.Text()),
        sa.Column("fingerprint", sa.LargeBinary()),
        sa.Column("outcome", sa.Text(), server_default="ignored", nullable=False),
        sa.Column("deliveries", sa.Integer(), server_default="1", nullable=False),
        sa.Column(
            "first_delivered_at",
            sa.TIMESTAMP(True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column(
            "last_delivered_at", sa.TIMESTAMP(True), server_default=sa.text("now()"), nullable=False
        ),
        sa.PrimaryKeyConstraint("id", name="pk_webhook_events"),
        sa.UniqueConstraint("provider", "event_id", name="uq_webhook_events_provider_event_id"),
        sa.CheckConstraint(
            "char_length(event_id) BETWEEN 1 AND 255",
            name=op.f("ck_webhook_events_event_id_length"),
        ),
        sa.CheckConstraint(
            "char_length(type) BETWEEN 1 AND 255", name=op.f("ck_webhook_events_type_length")
        ),
        sa.CheckConstraint(
            "octet_length(fingerprint) = 32", name=op.f("ck_webhook_events_fingerprint_length")
        ),
        sa.CheckConstraint(
            "outcome IN ('applied', 'stale', 'ignored')", name=op.f("ck_webhook_events_outcome")
        ),
        sa.CheckConstraint("deliveries >= 1", name=op.f("ck_webhook_events_deliveries")),
        sa.CheckConstraint(
            "first_delivered_at <= last_delivered_at",
            name=op.f("ck_webhook_events_delivered_in_order"),
        ),
    )
    op.create_table(
        "memberships",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("is_chirpy_red", sa.Boolean(), nullable=False),
        sa.Column("as_of", sa.TIMESTAMP(True), nullable=False),
        sa.Column("event_id", sa.Text(collation="C"), nullable=False),
        sa.PrimaryKeyConstraint("user_id", name="pk_memberships"),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name="fk_memberships_user_id_users", ondelete="CASCADE"
        ),
    )


def downgrade() -> None:
    op.drop_table("memberships")
    op.drop_table("webhook_events")
