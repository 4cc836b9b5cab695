"""The desk's first schema."""

from alembic import op

from regulator.records.metadata import METADATA

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    METADATA.create_all(op.get_bind())
