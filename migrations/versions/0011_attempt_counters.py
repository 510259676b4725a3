"""Create the table attempt_counters"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.create_table(
        "attempt_counters",
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("empty_at", sa.TIMESTAMP(True), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_attempt_counters"),
        prefixes=["UNLOGGED"],
    )
    op.create_index("ix_attempt_counters_empty_at", "attempt_counters", ["empty_at"])


def downgrade() -> None:
    op.drop_table("attempt_counters")
