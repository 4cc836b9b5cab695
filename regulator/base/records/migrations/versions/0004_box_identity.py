"""Whose a box is: codes for one box of one project, boxes that wait or were revoked, findings that count."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply. A code that was issued before names no project and has expired. Of several boxes of a project the one that
    was heard last has the orders, as until now."""
    op.add_column("boxes", sa.Column("waiting", sa.Integer(), server_default="0", nullable=False))
    for name in ("assigned_at_ns", "revoked_at_ns"):
        op.add_column("boxes", sa.Column(name, sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("boxes", sa.Column("enrolled_by", sa.Text(), server_default="", nullable=False))
    op.execute("UPDATE boxes SET assigned_at_ns = last_seen_ns")
    for name in ("project_code", "issued_by", "issued_name"):
        op.add_column("codes", sa.Column(name, sa.Text(), server_default="", nullable=False))
    for name in ("expires_at_ns", "revoked_at_ns"):
        op.add_column("codes", sa.Column(name, sa.BigInteger(), server_default="0", nullable=False))
    op.create_index("ix_codes_of_box", "codes", ["box_id", "issued_at_ns"])
    for name in ("again", "last_at_ns"):
        op.add_column("findings", sa.Column(name, sa.BigInteger(), server_default="0", nullable=False))
    op.create_table(
        "blob_senders",
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("box_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", "box_id", name=op.f("pk_blob_senders")),
    )
    op.execute("INSERT INTO blob_senders (sha256, box_id) SELECT sha256, box_id FROM blobs")
