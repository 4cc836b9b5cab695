"""Statistics rolled up by day and project, what is silenced at the sites, and reports with their editions.

The `statistics_*` tables are projections of the alarms that can be made again at any time; an alarm that comes late or
changes late has its day made again. Reports are only ever added: a correction is a further edition.
"""

from sqlalchemy import Index, Table, UniqueConstraint

from regulator.base.records.tables.metadata import METADATA, flag, moment, text, whole

statistics_books = Table("statistics_books", METADATA, text("name", key=True), moment("read_up_to_ns"))
"""How far each reader has come (`regulator.base.records.books`): `alarms` and `review-unacknowledged` by arrival,
`risk` by deed; `imports` is only held."""

statistics_alarm_days = Table(
    "statistics_alarm_days",
    METADATA,
    text("day", key=True),
    text("project_code", key=True),
    whole("p1"),
    whole("p2"),
    whole("p3"),
    whole("p1_waiting"),
    whole("p2_waiting"),
    whole("p3_waiting"),
    whole("p1_late"),
    whole("peak"),
    whole("flood_windows"),
    whole("busy_windows"),
    whole("fleeting"),
    whole("chattering"),
    text("tags", default="{}"),
    text("delays", default="{}"),
    Index("ix_statistics_alarm_days_by_project", "project_code", "day"),
)
"""`tags`: JSON, activations by tag. `delays`: JSON, by `<what> <priority>` two lists of the same length, delays in ms
(rounded up, see regulator.parts.reports.statistics.alarm_day) and how often; what: acknowledge, active, arrival. A
project's day is one row, because a month of 500 projects has to be read at once."""

statistics_long_alarms = Table(
    "statistics_long_alarms",
    METADATA,
    text("box_id", key=True),
    text("alarm_id", key=True),
    text("day", default=None),
    text("project_code", default=None),
    moment("raised_at_ns"),
    moment("returned_at_ns"),
    Index("ix_statistics_long_alarms_by_project", "project_code", "raised_at_ns"),
    Index("ix_statistics_long_alarms_by_day", "day", "project_code"),
)
"""Alarms that have not returned, or stood for more than a day."""

statistics_dirty = Table("statistics_dirty", METADATA, text("day", key=True), text("project_code", key=True))
"""Days of projects that are to be rolled up (again)."""

statistics_silencing = Table(
    "statistics_silencing",
    METADATA,
    text("box_id", key=True),
    whole("record_seq", key=True),
    text("project_code", default=None),
    text("subject", default=None),
    text("how", default=None),
    flag("silenced"),
    text("reason"),
    moment("at_ns"),
    moment("until_ns"),
    Index("ix_statistics_silencing_by_subject", "box_id", "subject", "how", "record_seq"),
    Index("ix_statistics_silencing_by_project", "project_code", "at_ns"),
)
"""What the boxes' chains say of shelving and suppression (`subject`: an alarm id) and of service (`subject`: a device
or point), a row a record. `how`: shelved, suppressed, out_of_service; `silenced` 0: it ended."""

reports = Table(
    "reports",
    METADATA,
    text("number", key=True),
    text("kind", default=None),
    text("period", default=None),
    text("level", default=None),
    text("region_code"),
    whole("edition"),
    text("state", default="draft"),
    text("replaces"),
    text("reason"),
    text("body", default=None),
    text("digest", default=None),
    text("html_sha256"),
    text("pdf_sha256"),
    text("drafted_by", default=None),
    moment("drafted_at_ns"),
    text("issued_by"),
    text("issuer_name"),
    moment("issued_at_ns"),
    whole("ledger_seq"),
    UniqueConstraint("kind", "period", "level", "region_code", "edition"),
    Index("ix_reports_by_period", "period", "level", "region_code"),
    Index("ix_reports_by_region", "level", "region_code", "period"),
)
"""`kind`: month, half_year, year. `period`: 2026-03, 2026-H1, 2026. `state`: draft or issued. `body`: canonical JSON of
every number, frozen when it was drafted; `digest` is its SHA-256. `replaces`: the number of the edition before."""
