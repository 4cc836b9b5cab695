"""Since when a secret of a second factor waits for its first code."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply. What was begun before counts as begun too long ago: it is begun anew."""
    op.add_column("second_factors", sa.Column("begun_at_ns", sa.BigInteger(), server_default="0", nullable=False))
