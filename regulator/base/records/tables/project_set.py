"""The province's set of video-monitored projects: memberships with their days, and the proposals that made them.

A membership holds on every day of [from_day, until_day); days are ISO, `until_day` empty while it goes on. A row is
written once; only its end is added later, by an approved removal.
"""

from sqlalchemy import Index, Table

from regulator.base.records.tables.metadata import METADATA, moment, text

set_books = Table("set_books", METADATA, text("set_code", key=True))
"""The row that whoever changes the set takes first, so that two replicas never fill the same place."""

set_memberships = Table(
    "set_memberships",
    METADATA,
    text("membership_id", key=True),
    text("set_code", default=None),
    text("project_code", default=None),
    text("city_code"),
    text("category", default=None),
    text("category_reason"),
    text("from_day", default=None),
    text("until_day"),
    text("added_by", default=None),
    text("removed_by"),
    Index("ix_set_memberships_by_project", "project_code", "from_day"),
    Index("ix_set_memberships_by_day", "set_code", "from_day"),
)
"""`added_by`, `removed_by`: proposal ids."""

set_proposals = Table(
    "set_proposals",
    METADATA,
    text("proposal_id", key=True),
    text("set_code", default=None),
    text("action", default=None),
    text("project_code", default=None),
    text("category"),
    text("category_reason"),
    text("effective_day", default=None),
    text("reason", default=None),
    text("ground", default="manual"),
    text("state", default="proposed"),
    text("proposer", default=None),
    text("proposer_for"),
    moment("proposed_at_ns"),
    text("decider"),
    text("decider_for"),
    text("decision"),
    moment("decided_at_ns"),
    text("batch"),
    Index("ix_set_proposals_by_state", "set_code", "state", "proposed_at_ns"),
    Index("ix_set_proposals_by_project", "project_code", "proposed_at_ns"),
    Index("ix_set_proposals_by_batch", "batch"),
)
"""`action`: add, remove. `state`: proposed, approved, refused, withdrawn, waiting. `*_for`: whose leave is covered."""
