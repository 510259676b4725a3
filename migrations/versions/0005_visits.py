"""Create the sequence visits"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.execute(sa.schema.CreateSequence(sa.Sequence("visits")))


def downgrade() -> None:
    op.execute(sa.schema.DropSequence(sa.Sequence("visits")))
