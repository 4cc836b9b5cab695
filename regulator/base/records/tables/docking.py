"""What the desk says to a platform above it: one row a record and platform, and one lane a platform.

A row is `waiting` until the platform has taken it (`accepted`) or never will (`refused`, with its words). A lane is
worked by one replica at a time: whoever holds its lease.
"""

from sqlalchemy import Index, Table

from regulator.base.records.tables.metadata import METADATA, moment, text, whole

docking_outbox = Table(
    "docking_outbox",
    METADATA,
    text("platform", key=True),
    text("key", key=True),
    text("kind", default=None),
    text("project_code", default=None),
    text("box_id", default=None),
    text("alarm_id", default=None),
    text("body", default=None),
    text("state", default="waiting"),
    whole("attempts"),
    text("words"),
    moment("queued_at_ns"),
    moment("due_at_ns"),
    moment("tried_at_ns"),
    moment("settled_at_ns"),
    Index("ix_docking_outbox_lane", "state", "platform", "queued_at_ns"),
    Index("ix_docking_outbox_project", "project_code", "state"),
)
"""`key`: box and event, or hazard and number of its ledger entry, the same for ever. `alarm_id`: the alarm, or the
hazard. `body`: the box's message, or what was known of the hazard, canonical JSON. `due_at_ns`: not before."""

docking_lanes = Table(
    "docking_lanes",
    METADATA,
    text("platform", key=True),
    text("lease_by"),
    moment("lease_until_ns"),
    moment("due_at_ns"),
    whole("failures"),
    text("trouble"),
    moment("trouble_since_ns"),
    moment("accepted_at_ns"),
)
"""`due_at_ns`: after trouble nothing is sent before. `trouble`: why the last attempt came to nothing, else empty."""
