"""Create the table chirps"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "chirps",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column(
            "created_at", sa.TIMESTAMP(True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column(
            "updated_at", sa.TIMESTAMP(True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("idempotency_key", sa.Text()),
        sa.Column("posted_hash", sa.LargeBinary()),
        sa.PrimaryKeyConstraint("id", name="pk_chirps"),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name="fk_chirps_user_id_users", ondelete="CASCADE"
        ),
        sa.CheckConstraint(
            "char_length(body) BETWEEN 1 AND 140", name=op.f("ck_chirps_body_length")
        ),
        sa.CheckConstraint(
            "char_length(idempotency_key) BETWEEN 1 AND 255",
            name=op.f("ck_chirps_idempotency_key_length"),
        ),
        sa.CheckConstraint(
            "(idempotency_key IS NULL) = (posted_hash IS NULL)",
            name=op.f("ck_chirps_idempotency_key_with_hash"),
        ),
    )
    op.create_index("ix_chirps_created_at_id", "chirps", ["created_at", "id"])
    op.create_index("ix_chirps_user_id_created_at_id", "chirps", ["user_id", "created_at", "id"])
    op.create_index(
        "uq_chirps_user_id_idempotency_key",
        "chirps",
        ["user_id", "idempotency_key"],
        unique=True,
        postgresql_where=sa.text("idempotency_key IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_table("chirps")
