"""Permits and weather warnings that were entered at the desk, and what became of each at every site.

A notice is never changed: a withdrawal is its next version. A delivery says which message carried a version to which
box (`mailbox` says whether the box keeps it), and when somebody at the site acknowledged it, by the box's own sealed
record. A project without a box has a delivery without a box: nothing was delivered there, and that is shown.
"""

from sqlalchemy import Index, Table

from regulator.base.records.tables.metadata import METADATA, flag, moment, text, whole

site_notices = Table(
    "site_notices",
    METADATA,
    text("notice_id", key=True),
    whole("version", key=True),
    text("kind", default=None),
    text("body", default=None),
    text("target_level", default=None),
    text("target_code"),
    flag("withdrawn"),
    text("reason"),
    text("entered_by", default=None),
    moment("entered_at_ns"),
    moment("valid_until_ns"),
    Index("ix_site_notices_by_end", "valid_until_ns"),
)
"""`kind`: work_permit or weather_warning, `body` the contract's message as JSON. `target_*`: the level and code that it
was entered for. `reason`: of a withdrawal."""

site_deliveries = Table(
    "site_deliveries",
    METADATA,
    text("notice_id", key=True),
    whole("version", key=True),
    text("project_code", key=True),
    text("box_id", key=True),
    text("message_id"),
    moment("posted_at_ns"),
    moment("acknowledged_at_ns"),
    text("acknowledged_by"),
    text("acknowledged_words"),
    whole("evidence_seq"),
    Index("ix_site_deliveries_by_box", "box_id", "notice_id"),
)
"""`box_id` empty: the project has no box. `acknowledged_*`: what a person at the site did, by record `evidence_seq` of
the box's chain; 0 and empty until then."""
