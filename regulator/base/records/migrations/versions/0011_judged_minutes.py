"""Camera minutes in which people in sight were judged, beside those with a usable picture."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply. Boxes did not say it before: a minute with a usable picture counted, and goes on to."""
    op.add_column("asset_days", sa.Column("judged_minutes", sa.BigInteger(), server_default="0", nullable=False))
    op.execute("UPDATE asset_days SET judged_minutes = usable_minutes")
