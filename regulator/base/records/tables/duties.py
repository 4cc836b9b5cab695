"""Who was told of a hazard and read it, who guarantees a hazard source, what a key risk reported for a month."""

from sqlalchemy import Index, Table

from regulator.base.records.tables.metadata import METADATA, moment, text

hazard_notices = Table(
    "hazard_notices",
    METADATA,
    text("hazard_id", key=True),
    text("user_id", key=True),
    text("project_code", default=None),
    text("user_name", default=None),
    text("because", default=None),
    moment("told_at_ns"),
    moment("read_at_ns"),
    Index("ix_hazard_notices_by_user", "user_id", "read_at_ns"),
)
"""`because`: responder (of the project or of a firm that builds it) or guarantor. `read_at_ns` 0: not read."""

guarantors = Table(
    "guarantors",
    METADATA,
    text("project_code", key=True),
    text("work_code", key=True),
    text("role", key=True),
    text("name", default=None),
    text("user_id"),
    text("named_by", default=None),
    moment("since_ns"),
)
"""三个包保人 of a dangerous work. `role`: leader, officer, firm. `user_id` empty: a person without an account. Who it
was before is in the ledger."""

key_risk_reports = Table(
    "key_risk_reports",
    METADATA,
    text("level", key=True),
    text("code", key=True),
    text("month", key=True),
    text("figures", default=None),
    text("words", default=None),
    text("submitted_by", default=None),
    text("submitted_name", default=None),
    moment("submitted_at_ns"),
)
"""One a month (`YYYY-MM`) of each listed firm or project; `figures`: canonical JSON as they stood
when it was handed in."""
