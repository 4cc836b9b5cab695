"""What was begun has a bound: since when a second factor waits for its first code, and whence a sign-on was begun."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply. A second factor that was begun before is begun anew; sign-ons begun before count for no network."""
    op.add_column("second_factors", sa.Column("begun_at_ns", sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("sign_ons", sa.Column("network", sa.Text(), server_default="", nullable=False))
