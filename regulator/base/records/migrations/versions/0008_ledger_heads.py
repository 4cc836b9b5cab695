"""The ledger's head of each day, and the time stamps on it."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply. The first head names every chain that is there."""
    op.create_table(
        "witness_heads",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("chains", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_witness_heads")),
    )
    op.create_index("uq_witness_heads_day", "witness_heads", ["day"], unique=True)
    op.create_table(
        "witness_stamps",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("authority", sa.Text(), nullable=False),
        sa.Column("stamped_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("token_base64", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number", "authority", name=op.f("pk_witness_stamps")),
    )
