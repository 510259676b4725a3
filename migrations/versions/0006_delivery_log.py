"""Index webhook_events by first delivery, for the delivery log"""

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_index(
        "ix_webhook_events_first_delivered_at_id", "webhook_events", ["first_delivered_at", "id"]
    )


def downgrade() -> None:
    op.drop_index("ix_webhook_events_first_delivered_at_id", "webhook_events")
