"""Each item of a box has a number without gaps, so that a deleted row is missed."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_NUMBERED = """
UPDATE items SET number = counted.number FROM (
    SELECT box_id, key, row_number() OVER (PARTITION BY box_id ORDER BY accepted_at_ns, seq, key) AS number FROM items
) AS counted WHERE items.box_id = counted.box_id AND items.key = counted.key
"""
_COUNTED = "UPDATE boxes SET items_accepted = (SELECT count(*) FROM items WHERE items.box_id = boxes.box_id)"


def upgrade() -> None:
    """Apply. What is there is numbered in the order in which it came."""
    op.add_column("items", sa.Column("number", sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("boxes", sa.Column("items_accepted", sa.BigInteger(), server_default="0", nullable=False))
    op.execute(_NUMBERED)
    op.execute(_COUNTED)
    op.create_index(
        "uq_items_number",
        "items",
        ["box_id", "number"],
        unique=True,
        sqlite_where=sa.text("number > 0"),
        postgresql_where=sa.text("number > 0"),
    )
