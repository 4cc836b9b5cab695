"""An account is bound to one subject of a provider; where an account logs in from is remembered."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_WORKPLACES = """
INSERT INTO login_workplaces (user_id, workplace, last_ns)
SELECT user_id, 'address:' || address, max(made_at_ns) FROM sessions
WHERE address <> '' AND address NOT LIKE '%:%' GROUP BY user_id, address
"""
"""IPv4 alone; of IPv6 a network is kept, and its first login is at a new workplace."""


def upgrade() -> None:
    """Apply. Nobody is bound yet: the next sign-on of each person binds. Where logins stand now is remembered."""
    op.create_table(
        "sign_on_bindings",
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("bound_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_sign_on_bindings")),
        sa.UniqueConstraint("issuer", "subject", name=op.f("uq_sign_on_bindings_issuer_subject")),
    )
    op.create_table(
        "login_workplaces",
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("workplace", sa.Text(), nullable=False),
        sa.Column("last_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("user_id", "workplace", name=op.f("pk_login_workplaces")),
    )
    op.execute(_WORKPLACES)
    op.execute("DELETE FROM login_tries")
