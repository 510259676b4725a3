"""Index webhook_events by user, for the delivery log of one user"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.create_index(
        "ix_webhook_events_user_id_first_delivered_at_id",
        "webhook_events",
        ["user_id", "first_delivered_at", "id"],
        postgresql_where=sa.text("user_id IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("ix_webhook_events_user_id_first_delivered_at_id", "webhook_events")
