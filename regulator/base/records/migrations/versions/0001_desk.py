"""The desk's first schema."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:  # noqa: PLR0915 - generated from the tables, one statement a table or index
    """Apply."""
    op.create_table(
        "accident_follow_ups",
        sa.Column("hazard_id", sa.Text(), nullable=False),
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("project_code", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), server_default="", nullable=False),
        sa.Column("done_by", sa.Text(), server_default="", nullable=False),
        sa.Column("done_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("hazard_id", "item", name=op.f("pk_accident_follow_ups")),
    )
    op.create_table(
        "accident_receipts",
        sa.Column("hazard_id", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("project_code", sa.Text(), nullable=False),
        sa.Column("receipt_number", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), server_default="", nullable=False),
        sa.Column("submitted_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("recorded_by", sa.Text(), nullable=False),
        sa.Column("recorded_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("ledger_seq", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("hazard_id", "target", "number", name=op.f("pk_accident_receipts")),
    )
    op.create_table(
        "accounts",
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("login", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), server_default="", nullable=False),
        sa.Column("must_change", sa.Integer(), server_default="0", nullable=False),
        sa.Column("home_level", sa.Text(), nullable=False),
        sa.Column("home_code", sa.Text(), server_default="", nullable=False),
        sa.Column("made_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("disabled_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_accounts")),
        sa.UniqueConstraint("login", name=op.f("uq_accounts_login")),
    )
    op.create_table(
        "alarm_media",
        sa.Column("box_id", sa.Text(), nullable=False),
        sa.Column("item_key", sa.Text(), nullable=False),
        sa.Column("alarm_id", sa.Text(), server_default="", nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), server_default="", nullable=False),
        sa.Column("camera_id", sa.Text(), server_default="", nullable=False),
        sa.Column("started_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("duration_ms", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("box_id", "item_key", name=op.f("pk_alarm_media")),
    )
    op.create_index("ix_alarm_media_of_alarm", "alarm_media", ["box_id", "alarm_id"], unique=False)
    op.create_index("ix_alarm_media_of_event", "alarm_media", ["box_id", "event_id"], unique=False)
    op.create_table(
        "alarms",
        sa.Column("box_id", sa.Text(), nullable=False),
        sa.Column("alarm_id", sa.Text(), nullable=False),
        sa.Column("project_code", sa.Text(), nullable=False),
        sa.Column("rule_id", sa.Text(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), server_default="", nullable=False),
        sa.Column("asset", sa.Text(), server_default="", nullable=False),
        sa.Column("asset_kind", sa.Text(), server_default="", nullable=False),
        sa.Column("title_zh", sa.Text(), server_default="", nullable=False),
        sa.Column("title_en", sa.Text(), server_default="", nullable=False),
        sa.Column("measured", sa.Text(), nullable=True),
        sa.Column("limit_value", sa.Text(), nullable=True),
        sa.Column("unit", sa.Text(), server_default="", nullable=False),
        sa.Column("limit_source", sa.Text(), server_default="", nullable=False),
        sa.Column("clause", sa.Text(), server_default="", nullable=False),
        sa.Column("certainty", sa.Text(), server_default="", nullable=False),
        sa.Column("suspected", sa.Integer(), server_default="0", nullable=False),
        sa.Column("hazard_code", sa.Text(), server_default="", nullable=False),
        sa.Column("hazard_edition", sa.Text(), server_default="", nullable=False),
        sa.Column("other_code", sa.Text(), server_default="", nullable=False),
        sa.Column("other_edition", sa.Text(), server_default="", nullable=False),
        sa.Column("raised_event", sa.Text(), server_default="", nullable=False),
        sa.Column("raised_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("acknowledged_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("returned_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("handed_over_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("active", sa.Integer(), server_default="0", nullable=False),
        sa.Column("acknowledged", sa.Integer(), server_default="0", nullable=False),
        sa.Column("accepted_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("late", sa.Integer(), server_default="0", nullable=False),
        sa.Column("evidence_seq", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("evidence_sha256", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("box_id", "alarm_id", name=op.f("pk_alarms")),
    )
    op.create_index("ix_alarms_by_arrival", "alarms", ["accepted_at_ns"], unique=False)
    op.create_index("ix_alarms_of_project", "alarms", ["project_code", "raised_at_ns"], unique=False)
    op.create_table(
        "alerts",
        sa.Column("box_id", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("alarm_id", sa.Text(), nullable=False),
        sa.Column("project_code", sa.Text(), nullable=False),
        sa.Column("asset", sa.Text(), server_default="", nullable=False),
        sa.Column("subject", sa.Text(), server_default="", nullable=False),
        sa.Column("rule_id", sa.Text(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("transition", sa.Text(), nullable=False),
        sa.Column("title_zh", sa.Text(), server_default="", nullable=False),
        sa.Column("title_en", sa.Text(), server_default="", nullable=False),
        sa.Column("measured", sa.Text(), nullable=True),
        sa.Column("limit_value", sa.Text(), nullable=True),
        sa.Column("unit", sa.Text(), server_default="", nullable=False),
        sa.Column("suspected", sa.Integer(), server_default="0", nullable=False),
        sa.Column("late", sa.Integer(), server_default="0", nullable=False),
        sa.Column("user_name", sa.Text(), server_default="", nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("observed_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("accepted_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("box_id", "key", name=op.f("pk_alerts")),
    )
    op.create_index("ix_alerts_by_arrival", "alerts", ["accepted_at_ns"], unique=False)
    op.create_index("ix_alerts_of_alarm", "alerts", ["box_id", "alarm_id"], unique=False)
    op.create_table(
        "anchors",
        sa.Column("box_id", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("project_code", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("head_seq", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("head_sha256", sa.Text(), server_default="", nullable=False),
        sa.Column("at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("ledger_chain", sa.Text(), nullable=False),
        sa.Column("ledger_seq", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("box_id", "number", name=op.f("pk_anchors")),
    )
    op.create_table(
        "asset_days",
        sa.Column("project_code", sa.Text(), nullable=False),
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("box_id", sa.Text(), nullable=False),
        sa.Column("asset", sa.Text(), nullable=False),
        sa.Column("minutes", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("good_minutes", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("camera", sa.Integer(), server_default="0", nullable=False),
        sa.Column("usable_minutes", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("last_minute_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("last_state", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("project_code", "day", "box_id", "asset", name=op.f("pk_asset_days")),
    )
    op.create_index("ix_asset_days_by_day", "asset_days", ["day"], unique=False)
    op.create_table(
        "blobs",
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("media_type", sa.Text(), server_default="", nullable=False),
        sa.Column("box_id", sa.Text(), server_default="", nullable=False),
        sa.Column("completed_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_blobs")),
    )
    op.create_table(
        "box_counters",
        sa.Column("box_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("count", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("box_id", "name", name=op.f("pk_box_counters")),
    )
    op.create_table(
        "box_keys",
        sa.Column("box_id", sa.Text(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("alg", sa.Text(), nullable=False),
        sa.Column("public_text", sa.Text(), nullable=False),
        sa.Column("added_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("retired_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("box_id", "key_id", name=op.f("pk_box_keys")),
    )
    op.create_index("ix_box_keys_by_key", "box_keys", ["key_id"], unique=False)
    op.create_table(
        "boxes",
        sa.Column("box_id", sa.Text(), nullable=False),
        sa.Column("project_code", sa.Text(), nullable=False),
        sa.Column("software", sa.Text(), server_default="", nullable=False),
        sa.Column("enrolled_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("last_seen_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("seq_highest", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("seq_bits", sa.Text(), server_default="0", nullable=False),
        sa.Column("verified_seq", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("verified_sha256", sa.Text(), nullable=False),
        sa.Column("chain_fault", sa.Text(), server_default="", nullable=False),
        sa.Column("gap_since_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("head_seq", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("head_sha256", sa.Text(), server_default="", nullable=False),
        sa.Column("head_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("counters", sa.Text(), server_default="{}", nullable=False),
        sa.PrimaryKeyConstraint("box_id", name=op.f("pk_boxes")),
    )
    op.create_index("ix_boxes_by_project", "boxes", ["project_code"], unique=False)
    op.create_table(
        "camera_stills",
        sa.Column("project_code", sa.Text(), nullable=False),
        sa.Column("camera_id", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("box_id", sa.Text(), nullable=False),
        sa.Column("item_key", sa.Text(), nullable=False),
        sa.Column("captured_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("project_code", "camera_id", name=op.f("pk_camera_stills")),
    )
    op.create_table(
        "chain_records",
        sa.Column("box_id", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("prev", sa.Text(), nullable=False),
        sa.Column("envelope_seq", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("record", sa.Text(), nullable=False),
        sa.Column("accepted_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("box_id", "seq", "sha256", name=op.f("pk_chain_records")),
    )
    op.create_table(
        "codes",
        sa.Column("code_sha256", sa.Text(), nullable=False),
        sa.Column("box_id", sa.Text(), server_default="", nullable=False),
        sa.Column("issued_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("used_by", sa.Text(), server_default="", nullable=False),
        sa.Column("used_key_id", sa.Text(), server_default="", nullable=False),
        sa.Column("used_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("code_sha256", name=op.f("pk_codes")),
    )
    op.create_table(
        "coverage_days",
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("project_code", sa.Text(), nullable=False),
        sa.Column("member", sa.Integer(), server_default="0", nullable=False),
        sa.Column("reached", sa.Text(), nullable=False),
        sa.Column("steps", sa.Text(), nullable=False),
        sa.Column("frozen_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("day", "project_code", name=op.f("pk_coverage_days")),
    )
    op.create_index("ix_coverage_days_by_project", "coverage_days", ["project_code", "day"], unique=False)
    op.create_table(
        "dangerous_works",
        sa.Column("project_code", sa.Text(), nullable=False),
        sa.Column("work_code", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("over_scale", sa.Integer(), server_default="0", nullable=False),
        sa.Column("stage", sa.Text(), server_default="planned", nullable=False),
        sa.Column("from_day", sa.Text(), server_default="", nullable=False),
        sa.Column("to_day", sa.Text(), server_default="", nullable=False),
        sa.Column("registered_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("project_code", "work_code", name=op.f("pk_dangerous_works")),
    )
    op.create_index("ix_dangerous_works_by_day", "dangerous_works", ["from_day"], unique=False)
    op.create_table(
        "delegations",
        sa.Column("delegation_id", sa.Text(), nullable=False),
        sa.Column("grant_id", sa.Text(), nullable=False),
        sa.Column("from_user", sa.Text(), nullable=False),
        sa.Column("to_user", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("from_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("until_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("made_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("ended_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("delegation_id", name=op.f("pk_delegations")),
    )
    op.create_index("ix_delegations_by_giver", "delegations", ["from_user"], unique=False)
    op.create_index("ix_delegations_by_user", "delegations", ["to_user", "until_ns"], unique=False)
    op.create_table(
        "devices",
        sa.Column("project_code", sa.Text(), nullable=False),
        sa.Column("device_code", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("firm_code", sa.Text(), server_default="", nullable=False),
        sa.Column("serial", sa.Text(), server_default="", nullable=False),
        sa.Column("registration", sa.Text(), server_default="", nullable=False),
        sa.Column("asset", sa.Text(), server_default="", nullable=False),
        sa.Column("status", sa.Text(), server_default="active", nullable=False),
        sa.Column("registered_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("ended_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("project_code", "device_code", name=op.f("pk_devices")),
    )
    op.create_index("ix_devices_by_firm", "devices", ["firm_code"], unique=False)
    op.create_table(
        "document_numbers",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("region_code", sa.Text(), nullable=False),
        sa.Column("year", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("last", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("kind", "region_code", "year", name=op.f("pk_document_numbers")),
    )
    op.create_table(
        "documents",
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("request_key", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("region_code", sa.Text(), nullable=False),
        sa.Column("year", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("seq", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("project_code", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), server_default="", nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("html_sha256", sa.Text(), nullable=False),
        sa.Column("pdf_sha256", sa.Text(), nullable=False),
        sa.Column("issued_by", sa.Text(), nullable=False),
        sa.Column("issuer_name", sa.Text(), nullable=False),
        sa.Column("issued_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("ledger_seq", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_documents")),
        sa.UniqueConstraint("kind", "region_code", "year", "seq", name=op.f("uq_documents_kind_region_code_year_seq")),
        sa.UniqueConstraint("request_key", name=op.f("uq_documents_request_key")),
    )
    op.create_index("ix_documents_by_project", "documents", ["project_code", "issued_at_ns"], unique=False)
    op.create_index("ix_documents_by_subject", "documents", ["subject", "issued_at_ns"], unique=False)
    op.create_index("ix_documents_by_time", "documents", ["issued_at_ns"], unique=False)
    op.create_table(
        "findings",
        sa.Column("finding_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("project_code", sa.Text(), server_default="", nullable=False),
        sa.Column("box_id", sa.Text(), server_default="", nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("words_zh", sa.Text(), nullable=False),
        sa.Column("words_en", sa.Text(), nullable=False),
        sa.Column("opened_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("closed_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("closed_because", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("finding_id", name=op.f("pk_findings")),
    )
    op.create_index("ix_findings_of_project", "findings", ["project_code", "opened_at_ns"], unique=False)
    op.create_index(
        "uq_findings_open",
        "findings",
        ["kind", "subject"],
        unique=True,
        sqlite_where=sa.text("closed_at_ns = 0"),
        postgresql_where=sa.text("closed_at_ns = 0"),
    )
    op.create_table(
        "firms",
        sa.Column("firm_code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), server_default="", nullable=False),
        sa.Column("status", sa.Text(), server_default="active", nullable=False),
        sa.PrimaryKeyConstraint("firm_code", name=op.f("pk_firms")),
    )
    op.create_table(
        "grants",
        sa.Column("grant_id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("scope_code", sa.Text(), server_default="", nullable=False),
        sa.Column("duties", sa.Text(), nullable=False),
        sa.Column("proposed_by", sa.Text(), nullable=False),
        sa.Column("proposed_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("decided_by", sa.Text(), server_default="", nullable=False),
        sa.Column("approved_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("rejected_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("revoked_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("revoked_by", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("grant_id", name=op.f("pk_grants")),
    )
    op.create_index("ix_grants_by_user", "grants", ["user_id"], unique=False)
    op.create_table(
        "hazard_analogies",
        sa.Column("hazard_id", sa.Text(), nullable=False),
        sa.Column("project_code", sa.Text(), nullable=False),
        sa.Column("source_project", sa.Text(), nullable=False),
        sa.Column("firm_code", sa.Text(), server_default="", nullable=False),
        sa.Column("works_type", sa.Text(), nullable=False),
        sa.Column("created_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("due_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("result", sa.Text(), server_default="", nullable=False),
        sa.Column("words", sa.Text(), server_default="", nullable=False),
        sa.Column("found_hazard_id", sa.Text(), server_default="", nullable=False),
        sa.Column("done_by", sa.Text(), server_default="", nullable=False),
        sa.Column("done_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("hazard_id", "project_code", name=op.f("pk_hazard_analogies")),
    )
    op.create_index("ix_hazard_analogies_by_project", "hazard_analogies", ["project_code", "done_at_ns"], unique=False)
    op.create_table(
        "hazard_deadlines",
        sa.Column("deadline_id", sa.Text(), nullable=False),
        sa.Column("hazard_id", sa.Text(), nullable=False),
        sa.Column("project_code", sa.Text(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("level", sa.Text(), server_default="", nullable=False),
        sa.Column("started_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("due_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("rule_id", sa.Text(), nullable=False),
        sa.Column("pack", sa.Text(), nullable=False),
        sa.Column("rule_zh", sa.Text(), nullable=False),
        sa.Column("rule_en", sa.Text(), nullable=False),
        sa.Column("clause", sa.Text(), server_default="", nullable=False),
        sa.Column("certainty", sa.Text(), server_default="", nullable=False),
        sa.Column("predecessor", sa.Text(), server_default="", nullable=False),
        sa.Column("overdue_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("ended_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("outcome", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("deadline_id", name=op.f("pk_hazard_deadlines")),
    )
    op.create_index("ix_hazard_deadlines_due", "hazard_deadlines", ["ended_at_ns", "due_at_ns"], unique=False)
    op.create_index("ix_hazard_deadlines_of", "hazard_deadlines", ["hazard_id", "ended_at_ns"], unique=False)
    op.create_table(
        "hazard_evidence",
        sa.Column("hazard_id", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), server_default="", nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("round", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("added_by", sa.Text(), nullable=False),
        sa.Column("persons", sa.Text(), server_default="[]", nullable=False),
        sa.Column("added_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("ledger_seq", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("hazard_id", "number", name=op.f("pk_hazard_evidence")),
        sa.UniqueConstraint("hazard_id", "sha256", name=op.f("uq_hazard_evidence_hazard_id_sha256")),
    )
    op.create_index("ix_hazard_evidence_by_digest", "hazard_evidence", ["sha256"], unique=False)
    op.create_table(
        "hazard_holders",
        sa.Column("hazard_id", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("project_code", sa.Text(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("since_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("hazard_id", "number", name=op.f("pk_hazard_holders")),
    )
    op.create_table(
        "hazard_orders",
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("hazard_id", sa.Text(), nullable=False),
        sa.Column("project_code", sa.Text(), nullable=False),
        sa.Column("box_id", sa.Text(), server_default="", nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), server_default="", nullable=False),
        sa.Column("legal_basis", sa.Text(), nullable=False),
        sa.Column("severity", sa.Text(), server_default="", nullable=False),
        sa.Column("deadline_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("rule_zh", sa.Text(), server_default="", nullable=False),
        sa.Column("rule_en", sa.Text(), server_default="", nullable=False),
        sa.Column("issued_by", sa.Text(), nullable=False),
        sa.Column("issued_level", sa.Text(), server_default="", nullable=False),
        sa.Column("issued_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("message_id", sa.Text(), server_default="", nullable=False),
        sa.Column("document_id", sa.Text(), server_default="", nullable=False),
        sa.Column("seen_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("order_id", name=op.f("pk_hazard_orders")),
    )
    op.create_index("ix_hazard_orders_by_number", "hazard_orders", ["number"], unique=False)
    op.create_index("ix_hazard_orders_of", "hazard_orders", ["hazard_id", "issued_at_ns"], unique=False)
    op.create_table(
        "hazard_replies",
        sa.Column("reply_id", sa.Text(), nullable=False),
        sa.Column("order_id", sa.Text(), server_default="", nullable=False),
        sa.Column("hazard_id", sa.Text(), nullable=False),
        sa.Column("project_code", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), server_default="", nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("persons", sa.Text(), server_default="[]", nullable=False),
        sa.Column("outcome", sa.Text(), server_default="", nullable=False),
        sa.Column("answered_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("kept_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("reply_id", name=op.f("pk_hazard_replies")),
    )
    op.create_index("ix_hazard_replies_of", "hazard_replies", ["hazard_id", "kept_at_ns"], unique=False)
    op.create_table(
        "hazard_requests",
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("hazard_id", sa.Text(), nullable=False),
        sa.Column("project_code", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), server_default="", nullable=False),
        sa.Column("deadline_id", sa.Text(), server_default="", nullable=False),
        sa.Column("proposed_due_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("asked_persons", sa.Text(), server_default="[]", nullable=False),
        sa.Column("asked_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("decided_by", sa.Text(), server_default="", nullable=False),
        sa.Column("decided_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("outcome", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("request_id", name=op.f("pk_hazard_requests")),
    )
    op.create_index("ix_hazard_requests_of", "hazard_requests", ["hazard_id", "decided_at_ns"], unique=False)
    op.create_table(
        "hazard_sections",
        sa.Column("hazard_id", sa.Text(), nullable=False),
        sa.Column("section", sa.Text(), nullable=False),
        sa.Column("project_code", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), server_default="", nullable=False),
        sa.Column("evidence_sha256", sa.Text(), server_default="", nullable=False),
        sa.Column("written_by", sa.Text(), server_default="", nullable=False),
        sa.Column("written_persons", sa.Text(), server_default="[]", nullable=False),
        sa.Column("written_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("signed_by", sa.Text(), server_default="", nullable=False),
        sa.Column("signed_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("hazard_id", "section", name=op.f("pk_hazard_sections")),
    )
    op.create_table(
        "hazard_warnings",
        sa.Column("deadline_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("project_code", sa.Text(), nullable=False),
        sa.Column("at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("given_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("deadline_id", "name", name=op.f("pk_hazard_warnings")),
    )
    op.create_index("ix_hazard_warnings_due", "hazard_warnings", ["given_at_ns", "at_ns"], unique=False)
    op.create_table(
        "hazards",
        sa.Column("hazard_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), server_default="", nullable=False),
        sa.Column("project_code", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("grade", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("title_zh", sa.Text(), nullable=False),
        sa.Column("title_en", sa.Text(), server_default="", nullable=False),
        sa.Column("words", sa.Text(), server_default="", nullable=False),
        sa.Column("place_id", sa.Text(), server_default="", nullable=False),
        sa.Column("rule_id", sa.Text(), server_default="", nullable=False),
        sa.Column("box_id", sa.Text(), server_default="", nullable=False),
        sa.Column("alarm_id", sa.Text(), server_default="", nullable=False),
        sa.Column("event_key", sa.Text(), nullable=False),
        sa.Column("catalogue_code", sa.Text(), server_default="", nullable=False),
        sa.Column("catalogue_edition", sa.Text(), server_default="", nullable=False),
        sa.Column("other_code", sa.Text(), server_default="", nullable=False),
        sa.Column("other_edition", sa.Text(), server_default="", nullable=False),
        sa.Column("works_type", sa.Text(), server_default="", nullable=False),
        sa.Column("observed_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("opened_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("opened_by", sa.Text(), server_default="", nullable=False),
        sa.Column("back_dated", sa.Integer(), server_default="0", nullable=False),
        sa.Column("back_date_reason", sa.Text(), server_default="", nullable=False),
        sa.Column("confirmed_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("confirmed_by", sa.Text(), server_default="[]", nullable=False),
        sa.Column("ordered_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("closed_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("due_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("listed_level", sa.Text(), server_default="", nullable=False),
        sa.Column("listed_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("stopped_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("resumed_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("disputed_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("handed_over_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("extensions", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("round", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("held_by_level", sa.Text(), server_default="county", nullable=False),
        sa.Column("held_since_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("hazard_id", name=op.f("pk_hazards")),
        sa.UniqueConstraint("event_key", name=op.f("uq_hazards_event_key")),
    )
    op.create_index("ix_hazards_by_alarm", "hazards", ["box_id", "alarm_id"], unique=False)
    op.create_index("ix_hazards_by_project", "hazards", ["project_code", "state"], unique=False)
    op.create_index("ix_hazards_by_state", "hazards", ["state", "due_at_ns"], unique=False)
    op.create_table(
        "import_lines",
        sa.Column("import_id", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("sheet", sa.Text(), server_default="", nullable=False),
        sa.Column("row", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("cells", sa.Text(), server_default="[]", nullable=False),
        sa.Column("faults", sa.Text(), server_default="[]", nullable=False),
        sa.PrimaryKeyConstraint("import_id", "number", name=op.f("pk_import_lines")),
    )
    op.create_table(
        "imports",
        sa.Column("import_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="preview", nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("made_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("committed_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("good", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("bad", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("import_id", name=op.f("pk_imports")),
    )
    op.create_index("ix_imports_by_time", "imports", ["made_at_ns"], unique=False)
    op.create_table(
        "items",
        sa.Column("box_id", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("late", sa.Integer(), server_default="0", nullable=False),
        sa.Column("sent_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("accepted_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("body_sha256", sa.Text(), nullable=False),
        sa.Column("envelope", sa.Text(), nullable=False),
        sa.Column("envelope_signature", sa.Text(), nullable=False),
        sa.Column("receipt", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("box_id", "key", name=op.f("pk_items")),
    )
    op.create_index("ix_items_by_arrival", "items", ["kind", "accepted_at_ns"], unique=False)
    op.create_index("ix_items_of_box", "items", ["box_id", "kind", "accepted_at_ns"], unique=False)
    op.create_table(
        "kept_aside",
        sa.Column("aside_id", sa.Text(), nullable=False),
        sa.Column("at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("box_id", sa.Text(), server_default="", nullable=False),
        sa.Column("address", sa.Text(), server_default="", nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("field", sa.Text(), server_default="", nullable=False),
        sa.Column("expected", sa.Text(), server_default="", nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("content_base64", sa.Text(), nullable=False),
        sa.Column("signature", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("aside_id", name=op.f("pk_kept_aside")),
    )
    op.create_index("ix_kept_aside_by_box", "kept_aside", ["box_id", "at_ns"], unique=False)
    op.create_table(
        "key_risk_checks",
        sa.Column("check_id", sa.Text(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("project_code", sa.Text(), server_default="", nullable=False),
        sa.Column("on_day", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), server_default="", nullable=False),
        sa.Column("inspector", sa.Text(), nullable=False),
        sa.Column("at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("check_id", name=op.f("pk_key_risk_checks")),
    )
    op.create_index("ix_key_risk_checks_by_code", "key_risk_checks", ["level", "code", "on_day"], unique=False)
    op.create_table(
        "key_risks",
        sa.Column("entry_id", sa.Text(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("ground", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), server_default="", nullable=False),
        sa.Column("from_day", sa.Text(), nullable=False),
        sa.Column("until_day", sa.Text(), server_default="", nullable=False),
        sa.Column("entered_by", sa.Text(), nullable=False),
        sa.Column("entered_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("report_sha256", sa.Text(), server_default="", nullable=False),
        sa.Column("exit_words", sa.Text(), server_default="", nullable=False),
        sa.Column("exit_proposer", sa.Text(), server_default="", nullable=False),
        sa.Column("exit_proposer_for", sa.Text(), server_default="", nullable=False),
        sa.Column("exit_approver", sa.Text(), server_default="", nullable=False),
        sa.Column("exit_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("entry_id", name=op.f("pk_key_risks")),
    )
    op.create_index("ix_key_risks_by_code", "key_risks", ["level", "code", "until_day"], unique=False)
    op.create_table(
        "ledger_entries",
        sa.Column("chain", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("prev", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), server_default="", nullable=False),
        sa.Column("project_code", sa.Text(), server_default="", nullable=False),
        sa.Column("at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("user_id", sa.Text(), server_default="", nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("alg", sa.Text(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("signature", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("chain", "seq", name=op.f("pk_ledger_entries")),
    )
    op.create_index("ix_ledger_by_kind", "ledger_entries", ["kind", "at_ns"], unique=False)
    op.create_index("ix_ledger_by_project", "ledger_entries", ["project_code", "at_ns"], unique=False)
    op.create_index("ix_ledger_by_subject", "ledger_entries", ["subject", "at_ns"], unique=False)
    op.create_index("ix_ledger_by_user", "ledger_entries", ["user_id", "at_ns"], unique=False)
    op.create_table(
        "ledger_heads",
        sa.Column("chain", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("chain", name=op.f("pk_ledger_heads")),
    )
    op.create_table(
        "login_tries",
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("failed", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("last_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("free_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("who", name=op.f("pk_login_tries")),
    )
    op.create_table(
        "mailbox",
        sa.Column("box_id", sa.Text(), nullable=False),
        sa.Column("mailbox_seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("signed", sa.Text(), nullable=False),
        sa.Column("issued_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("acknowledged_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("outcome", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("box_id", "mailbox_seq", name=op.f("pk_mailbox")),
    )
    op.create_index(
        "ix_mailbox_waiting",
        "mailbox",
        ["box_id", "mailbox_seq"],
        unique=False,
        sqlite_where=sa.text("acknowledged_at_ns = 0"),
        postgresql_where=sa.text("acknowledged_at_ns = 0"),
    )
    op.create_index("uq_mailbox_message", "mailbox", ["message_id"], unique=True)
    op.create_table(
        "media_views",
        sa.Column("session_id", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("written_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("session_id", "sha256", name=op.f("pk_media_views")),
    )
    op.create_table(
        "project_firms",
        sa.Column("project_code", sa.Text(), nullable=False),
        sa.Column("firm_code", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), server_default="active", nullable=False),
        sa.PrimaryKeyConstraint("project_code", "firm_code", "role", name=op.f("pk_project_firms")),
    )
    op.create_index("ix_project_firms_by_firm", "project_firms", ["firm_code"], unique=False)
    op.create_table(
        "projects",
        sa.Column("project_code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("province_code", sa.Text(), server_default="", nullable=False),
        sa.Column("city_code", sa.Text(), server_default="", nullable=False),
        sa.Column("county_code", sa.Text(), server_default="", nullable=False),
        sa.Column("category", sa.Text(), server_default="other", nullable=False),
        sa.Column("stage", sa.Text(), server_default="", nullable=False),
        sa.Column("dangerous_works", sa.Text(), server_default="[]", nullable=False),
        sa.Column("status", sa.Text(), server_default="registered", nullable=False),
        sa.Column("started_on", sa.Text(), server_default="", nullable=False),
        sa.Column("finished_on", sa.Text(), server_default="", nullable=False),
        sa.Column("stopped_since", sa.Text(), server_default="", nullable=False),
        sa.Column("address", sa.Text(), server_default="", nullable=False),
        sa.Column("registered_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("project_code", name=op.f("pk_projects")),
    )
    op.create_index("ix_projects_by_city", "projects", ["city_code", "county_code"], unique=False)
    op.create_index("ix_projects_by_county", "projects", ["county_code"], unique=False)
    op.create_table(
        "regions",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("parent", sa.Text(), server_default="", nullable=False),
        sa.Column("status", sa.Text(), server_default="active", nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_regions")),
    )
    op.create_table(
        "review_items",
        sa.Column("item_id", sa.Text(), nullable=False),
        sa.Column("project_code", sa.Text(), nullable=False),
        sa.Column("box_id", sa.Text(), nullable=False),
        sa.Column("alarm_id", sa.Text(), nullable=False),
        sa.Column("round", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("rule_id", sa.Text(), server_default="", nullable=False),
        sa.Column("source_id", sa.Text(), server_default="", nullable=False),
        sa.Column("asset_kind", sa.Text(), server_default="", nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("rank", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("aged_min", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("risk", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("risk_reasons", sa.Text(), server_default="", nullable=False),
        sa.Column("raised_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("queued_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("group_key", sa.Text(), nullable=False),
        sa.Column("sampled", sa.Integer(), server_default="0", nullable=False),
        sa.Column("state", sa.Text(), server_default="open", nullable=False),
        sa.Column("verdict", sa.Text(), server_default="", nullable=False),
        sa.Column("false_reason", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("verdict_number", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("judged_by", sa.Text(), server_default="", nullable=False),
        sa.Column("judged_for", sa.Text(), server_default="", nullable=False),
        sa.Column("judged_name", sa.Text(), server_default="", nullable=False),
        sa.Column("judged_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("took_ms", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("bulk", sa.Integer(), server_default="0", nullable=False),
        sa.Column("sheet_id", sa.Text(), server_default="", nullable=False),
        sa.Column("hazard_id", sa.Text(), server_default="", nullable=False),
        sa.Column("barred_user", sa.Text(), server_default="", nullable=False),
        sa.Column("barred_for", sa.Text(), server_default="", nullable=False),
        sa.Column("lease_by", sa.Text(), server_default="", nullable=False),
        sa.Column("lease_name", sa.Text(), server_default="", nullable=False),
        sa.Column("lease_since_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("lease_until_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("item_id", name=op.f("pk_review_items")),
        sa.UniqueConstraint("box_id", "alarm_id", "round", name=op.f("uq_review_items_box_id_alarm_id_round")),
    )
    op.create_index(
        "ix_review_items_queue", "review_items", ["state", "rank", "aged_min", sa.text("risk DESC"), "item_id"]
    )
    op.create_index("ix_review_items_group", "review_items", ["group_key", "state"], unique=False)
    op.create_index("ix_review_items_judged", "review_items", ["state", "judged_at_ns"], unique=False)
    op.create_index("ix_review_items_project", "review_items", ["project_code", "queued_at_ns"], unique=False)
    op.create_table(
        "review_pictures",
        sa.Column("box_id", sa.Text(), nullable=False),
        sa.Column("alarm_id", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("media_class", sa.Text(), server_default="", nullable=False),
        sa.Column("place", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("media_type", sa.Text(), server_default="", nullable=False),
        sa.Column("width_px", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("height_px", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("captured_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("duration_ms", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("boxes", sa.Text(), server_default="[]", nullable=False),
        sa.Column("versions", sa.Text(), server_default="{}", nullable=False),
        sa.Column("record_seq", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("box_id", "alarm_id", "sha256", name=op.f("pk_review_pictures")),
    )
    op.create_table(
        "review_secrets",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_review_secrets")),
    )
    op.create_table(
        "review_seen",
        sa.Column("item_id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("first_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("item_id", "user_id", name=op.f("pk_review_seen")),
    )
    op.create_table(
        "review_sheets",
        sa.Column("sheet_id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("project_code", sa.Text(), nullable=False),
        sa.Column("group_key", sa.Text(), nullable=False),
        sa.Column("item_ids", sa.Text(), server_default="[]", nullable=False),
        sa.Column("rendered_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("sheet_id", name=op.f("pk_review_sheets")),
    )
    op.create_table(
        "review_site_checks",
        sa.Column("item_id", sa.Text(), nullable=False),
        sa.Column("project_code", sa.Text(), nullable=False),
        sa.Column("asked_by", sa.Text(), server_default="", nullable=False),
        sa.Column("asked_name", sa.Text(), server_default="", nullable=False),
        sa.Column("words", sa.Text(), server_default="", nullable=False),
        sa.Column("asked_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("outcome", sa.Text(), server_default="", nullable=False),
        sa.Column("found_words", sa.Text(), server_default="", nullable=False),
        sa.Column("done_by", sa.Text(), server_default="", nullable=False),
        sa.Column("done_name", sa.Text(), server_default="", nullable=False),
        sa.Column("done_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("hazard_id", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("item_id", name=op.f("pk_review_site_checks")),
    )
    op.create_index("ix_review_site_checks_open", "review_site_checks", ["outcome", "asked_at_ns"], unique=False)
    op.create_table(
        "review_verdicts",
        sa.Column("item_id", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("verdict", sa.Text(), server_default="", nullable=False),
        sa.Column("false_reason", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("words", sa.Text(), server_default="", nullable=False),
        sa.Column("user_id", sa.Text(), server_default="", nullable=False),
        sa.Column("user_name", sa.Text(), server_default="", nullable=False),
        sa.Column("actor", sa.Text(), server_default="{}", nullable=False),
        sa.Column("at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("took_ms", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("bulk", sa.Integer(), server_default="0", nullable=False),
        sa.Column("sheet_id", sa.Text(), server_default="", nullable=False),
        sa.Column("ledger_seq", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("item_id", "number", name=op.f("pk_review_verdicts")),
    )
    op.create_table(
        "risk_events",
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("firm_code", sa.Text(), server_default="", nullable=False),
        sa.Column("project_code", sa.Text(), server_default="", nullable=False),
        sa.Column("on_day", sa.Text(), nullable=False),
        sa.Column("points", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("words", sa.Text(), server_default="", nullable=False),
        sa.Column("source", sa.Text(), server_default="", nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_risk_events")),
    )
    op.create_index("ix_risk_events_by_day", "risk_events", ["on_day"], unique=False)
    op.create_table(
        "round_checks",
        sa.Column("check_id", sa.Text(), nullable=False),
        sa.Column("round_id", sa.Text(), server_default="", nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("firm_code", sa.Text(), server_default="", nullable=False),
        sa.Column("project_code", sa.Text(), server_default="", nullable=False),
        sa.Column("device_code", sa.Text(), server_default="", nullable=False),
        sa.Column("sheet", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("answers", sa.Text(), server_default="[]", nullable=False),
        sa.Column("words", sa.Text(), server_default="", nullable=False),
        sa.Column("inspector", sa.Text(), nullable=False),
        sa.Column("checked_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("check_id", name=op.f("pk_round_checks")),
    )
    op.create_index("ix_round_checks_by_firm", "round_checks", ["firm_code", "checked_at_ns"], unique=False)
    op.create_index("ix_round_checks_by_project", "round_checks", ["project_code", "checked_at_ns"], unique=False)
    op.create_table(
        "round_items",
        sa.Column("round_id", sa.Text(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("firm_code", sa.Text(), nullable=False),
        sa.Column("project_code", sa.Text(), nullable=False),
        sa.Column("device_code", sa.Text(), nullable=False),
        sa.Column("sheet", sa.Text(), nullable=False),
        sa.Column("check_id", sa.Text(), server_default="", nullable=False),
        sa.Column("checked_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("dropped", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint(
            "round_id", "level", "firm_code", "project_code", "device_code", "sheet", name=op.f("pk_round_items")
        ),
    )
    op.create_index("ix_round_items_by_project", "round_items", ["round_id", "project_code"], unique=False)
    op.create_table(
        "rounds",
        sa.Column("round_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("scope_code", sa.Text(), server_default="", nullable=False),
        sa.Column("starts_on", sa.Text(), nullable=False),
        sa.Column("due_on", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="open", nullable=False),
        sa.Column("opened_by", sa.Text(), nullable=False),
        sa.Column("opened_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("closed_by", sa.Text(), server_default="", nullable=False),
        sa.Column("closed_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("round_id", name=op.f("pk_rounds")),
    )
    op.create_index("ix_rounds_by_due", "rounds", ["state", "due_on"], unique=False)
    op.create_table(
        "sessions",
        sa.Column("token_sha256", sa.Text(), nullable=False),
        sa.Column("session_id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("seat", sa.Text(), server_default="", nullable=False),
        sa.Column("made_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("seen_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("ended_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("address", sa.Text(), server_default="", nullable=False),
        sa.Column("agent", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("token_sha256", name=op.f("pk_sessions")),
    )
    op.create_index("ix_sessions_by_user", "sessions", ["user_id", "made_at_ns"], unique=False)
    op.create_table(
        "set_books",
        sa.Column("set_code", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("set_code", name=op.f("pk_set_books")),
    )
    op.create_table(
        "set_memberships",
        sa.Column("membership_id", sa.Text(), nullable=False),
        sa.Column("set_code", sa.Text(), nullable=False),
        sa.Column("project_code", sa.Text(), nullable=False),
        sa.Column("city_code", sa.Text(), server_default="", nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("category_reason", sa.Text(), server_default="", nullable=False),
        sa.Column("from_day", sa.Text(), nullable=False),
        sa.Column("until_day", sa.Text(), server_default="", nullable=False),
        sa.Column("added_by", sa.Text(), nullable=False),
        sa.Column("removed_by", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("membership_id", name=op.f("pk_set_memberships")),
    )
    op.create_index("ix_set_memberships_by_day", "set_memberships", ["set_code", "from_day"], unique=False)
    op.create_index("ix_set_memberships_by_project", "set_memberships", ["project_code", "from_day"], unique=False)
    op.create_table(
        "set_proposals",
        sa.Column("proposal_id", sa.Text(), nullable=False),
        sa.Column("set_code", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("project_code", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), server_default="", nullable=False),
        sa.Column("category_reason", sa.Text(), server_default="", nullable=False),
        sa.Column("effective_day", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("ground", sa.Text(), server_default="manual", nullable=False),
        sa.Column("state", sa.Text(), server_default="proposed", nullable=False),
        sa.Column("proposer", sa.Text(), nullable=False),
        sa.Column("proposer_for", sa.Text(), server_default="", nullable=False),
        sa.Column("proposed_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("decider", sa.Text(), server_default="", nullable=False),
        sa.Column("decider_for", sa.Text(), server_default="", nullable=False),
        sa.Column("decision", sa.Text(), server_default="", nullable=False),
        sa.Column("decided_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("batch", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("proposal_id", name=op.f("pk_set_proposals")),
    )
    op.create_index("ix_set_proposals_by_batch", "set_proposals", ["batch"], unique=False)
    op.create_index("ix_set_proposals_by_project", "set_proposals", ["project_code", "proposed_at_ns"], unique=False)
    op.create_index("ix_set_proposals_by_state", "set_proposals", ["set_code", "state", "proposed_at_ns"], unique=False)
    op.create_table(
        "sign_ons",
        sa.Column("state_sha256", sa.Text(), nullable=False),
        sa.Column("nonce", sa.Text(), nullable=False),
        sa.Column("verifier", sa.Text(), nullable=False),
        sa.Column("browser_sha256", sa.Text(), nullable=False),
        sa.Column("going_on", sa.Text(), server_default="", nullable=False),
        sa.Column("made_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("state_sha256", name=op.f("pk_sign_ons")),
    )
    op.create_table(
        "site_deliveries",
        sa.Column("notice_id", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("project_code", sa.Text(), nullable=False),
        sa.Column("box_id", sa.Text(), nullable=False),
        sa.Column("message_id", sa.Text(), server_default="", nullable=False),
        sa.Column("posted_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("acknowledged_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("acknowledged_by", sa.Text(), server_default="", nullable=False),
        sa.Column("acknowledged_words", sa.Text(), server_default="", nullable=False),
        sa.Column("evidence_seq", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("notice_id", "version", "project_code", "box_id", name=op.f("pk_site_deliveries")),
    )
    op.create_index("ix_site_deliveries_by_box", "site_deliveries", ["box_id", "notice_id"], unique=False)
    op.create_table(
        "site_notices",
        sa.Column("notice_id", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("target_level", sa.Text(), nullable=False),
        sa.Column("target_code", sa.Text(), server_default="", nullable=False),
        sa.Column("withdrawn", sa.Integer(), server_default="0", nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("entered_by", sa.Text(), nullable=False),
        sa.Column("entered_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("valid_until_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("notice_id", "version", name=op.f("pk_site_notices")),
    )
    op.create_index("ix_site_notices_by_end", "site_notices", ["valid_until_ns"], unique=False)
    op.create_table(
        "work_watches",
        sa.Column("project_code", sa.Text(), nullable=False),
        sa.Column("work_code", sa.Text(), nullable=False),
        sa.Column("device_code", sa.Text(), nullable=False),
        sa.Column("since_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("until_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("project_code", "work_code", "device_code", name=op.f("pk_work_watches")),
    )
