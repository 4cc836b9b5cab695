"""Full-coverage rounds (notice A1) and the key-risk list (A7 to A9)."""

from sqlalchemy import Index, Table

from regulator.base.records.tables.metadata import METADATA, moment, text, whole

rounds = Table(
    "rounds",
    METADATA,
    text("round_id", key=True),
    text("name", default=None),
    text("level", default=None),
    text("scope_code"),
    text("starts_on", default=None),
    text("due_on", default=None),
    text("state", default="open"),
    text("opened_by", default=None),
    moment("opened_at_ns"),
    text("closed_by"),
    moment("closed_at_ns"),
    Index("ix_rounds_by_due", "state", "due_on"),
)

round_items = Table(
    "round_items",
    METADATA,
    text("round_id", key=True),
    text("level", key=True),
    text("firm_code", key=True),
    text("project_code", key=True),
    text("device_code", key=True),
    text("sheet", key=True),
    text("check_id"),
    moment("checked_at_ns"),
    text("dropped"),
    Index("ix_round_items_by_project", "round_id", "project_code"),
)
"""What must be inspected, a row a sheet: a device's site sheet, a project's site and duty sheet, a firm's duty sheet.

`check_id` empty: not inspected. `dropped`: why it need not be any more (the device was taken down first).
"""

round_checks = Table(
    "round_checks",
    METADATA,
    text("check_id", key=True),
    text("round_id"),
    text("level", default=None),
    text("firm_code"),
    text("project_code"),
    text("device_code"),
    text("sheet", default=None),
    text("outcome", default=None),
    text("answers", default="[]"),
    text("words"),
    text("inspector", default=None),
    moment("checked_at_ns"),
    Index("ix_round_checks_by_project", "project_code", "checked_at_ns"),
    Index("ix_round_checks_by_firm", "firm_code", "checked_at_ns"),
)

risk_events = Table(
    "risk_events",
    METADATA,
    text("event_id", key=True),
    text("kind", default=None),
    text("firm_code"),
    text("project_code"),
    text("on_day", default=None),
    whole("points"),
    text("words"),
    text("source"),
    text("user_id", default=None),
    moment("at_ns"),
    Index("ix_risk_events_by_day", "on_day"),
)
"""`kind`: accident, points, stop_order."""

key_risks = Table(
    "key_risks",
    METADATA,
    text("entry_id", key=True),
    text("level", default=None),
    text("code", default=None),
    text("ground", default=None),
    text("words"),
    text("from_day", default=None),
    text("until_day"),
    text("entered_by", default=None),
    moment("entered_at_ns"),
    text("report_sha256"),
    text("exit_words"),
    text("exit_proposer"),
    text("exit_proposer_for"),
    text("exit_approver"),
    moment("exit_at_ns"),
    Index("ix_key_risks_by_code", "level", "code", "until_day"),
)
"""`level`: firm or project. `ground`: accident, points, stop_order, manual. Out only by an approved exit."""

key_risk_checks = Table(
    "key_risk_checks",
    METADATA,
    text("check_id", key=True),
    text("level", default=None),
    text("code", default=None),
    text("project_code"),
    text("on_day", default=None),
    text("words"),
    text("inspector", default=None),
    moment("at_ns"),
    Index("ix_key_risk_checks_by_code", "level", "code", "on_day"),
)
