"""An account is bound to one subject of a provider, and found by it from then on."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply. Nobody is bound yet: the next sign-on of each person binds."""
    op.create_table(
        "sign_on_bindings",
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("bound_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_sign_on_bindings")),
        sa.UniqueConstraint("issuer", "subject", name=op.f("uq_sign_on_bindings_issuer_subject")),
    )
