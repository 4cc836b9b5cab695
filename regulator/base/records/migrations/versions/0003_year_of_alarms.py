"""Indexes for a year of alarms: the first verdict of a project and its last ones, hazards by their opening."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_index("ix_review_items_of_project_judged", "review_items", ["project_code", "judged_at_ns"])
    op.create_index("ix_hazards_by_opening", "hazards", ["opened_at_ns", "hazard_id"])
