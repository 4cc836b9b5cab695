"""From which network a sign-on was begun, so that each has its share of those that wait."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply. What was begun before counts for no network."""
    op.add_column("sign_ons", sa.Column("network", sa.Text(), server_default="", nullable=False))
