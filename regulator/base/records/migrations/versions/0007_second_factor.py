"""Second factors of accounts: secrets of authenticator apps, recovery codes, wrong tries, and what a login owes."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply. Logins that are open go on."""
    op.add_column("sessions", sa.Column("code", sa.Text(), server_default="", nullable=False))
    op.create_table(
        "second_factors",
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("secret", sa.Text(), server_default="", nullable=False),
        sa.Column("pending_secret", sa.Text(), server_default="", nullable=False),
        sa.Column("last_step", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("confirmed_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_second_factors")),
    )
    op.create_table(
        "recovery_codes",
        sa.Column("code_sha256", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("code_sha256", name=op.f("pk_recovery_codes")),
    )
    op.create_index("ix_recovery_codes_by_user", "recovery_codes", ["user_id"])
    op.create_table(
        "code_tries",
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("failed", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("first_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("user_id", "address", name=op.f("pk_code_tries")),
    )
