"""Files that no message names yet."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply. What has been sent whole before stays where it is."""
    op.create_table(
        "loose_files",
        sa.Column("box_id", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("touched_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("box_id", "sha256", name=op.f("pk_loose_files")),
    )
    op.create_index("ix_loose_files_by_age", "loose_files", ["touched_at_ns"])
