"""The desk's second half: wall, live video, supervision, reports, docking, fleet."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:  # noqa: PLR0915 - generated from the tables, one statement a table or index
    """Apply."""
    op.create_table(
        "box_state_changes",
        sa.Column("box_id", sa.Text(), nullable=False),
        sa.Column("heard_at_ns", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("box_id", "heard_at_ns", name=op.f("pk_box_state_changes")),
    )
    op.create_table(
        "box_states",
        sa.Column("box_id", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("changed_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("heard_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("box_id", name=op.f("pk_box_states")),
    )
    op.create_table(
        "calendar_marks",
        sa.Column("entry_id", sa.Text(), nullable=False),
        sa.Column("due_on", sa.Text(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("scope_code", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("done_by", sa.Text(), nullable=False),
        sa.Column("done_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("late", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("entry_id", "due_on", "level", "scope_code", name=op.f("pk_calendar_marks")),
    )
    op.create_table(
        "check_ins",
        sa.Column("check_in_id", sa.Text(), nullable=False),
        sa.Column("project_code", sa.Text(), nullable=False),
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), server_default="", nullable=False),
        sa.Column("at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("box_id", sa.Text(), server_default="", nullable=False),
        sa.Column("recorded_by", sa.Text(), nullable=False),
        sa.Column("recorded_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("evidence_seq", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("check_in_id", name=op.f("pk_check_ins")),
    )
    op.create_index("ix_check_ins_by_day", "check_ins", ["project_code", "day", "role"], unique=False)
    op.create_table(
        "desk_key_tellings",
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("box_id", sa.Text(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("told_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("key_id", "box_id", name=op.f("pk_desk_key_tellings")),
    )
    op.create_table(
        "desk_keys",
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("alg", sa.Text(), nullable=False),
        sa.Column("public_text", sa.Text(), nullable=False),
        sa.Column("announced_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("used_from_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("retired_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("key_id", name=op.f("pk_desk_keys")),
    )
    op.create_table(
        "docking_lanes",
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("lease_by", sa.Text(), server_default="", nullable=False),
        sa.Column("lease_until_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("due_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("failures", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("trouble", sa.Text(), server_default="", nullable=False),
        sa.Column("trouble_since_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("accepted_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("platform", name=op.f("pk_docking_lanes")),
    )
    op.create_table(
        "docking_outbox",
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("project_code", sa.Text(), nullable=False),
        sa.Column("box_id", sa.Text(), nullable=False),
        sa.Column("alarm_id", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="waiting", nullable=False),
        sa.Column("attempts", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("words", sa.Text(), server_default="", nullable=False),
        sa.Column("queued_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("due_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("tried_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("settled_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("platform", "key", name=op.f("pk_docking_outbox")),
    )
    op.create_index("ix_docking_outbox_lane", "docking_outbox", ["state", "platform", "queued_at_ns"], unique=False)
    op.create_index("ix_docking_outbox_project", "docking_outbox", ["project_code", "state"], unique=False)
    op.create_table(
        "draw_conflicts",
        sa.Column("conflict_id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("project_code", sa.Text(), server_default="", nullable=False),
        sa.Column("firm_code", sa.Text(), server_default="", nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("declared_by", sa.Text(), nullable=False),
        sa.Column("declared_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("ended_by", sa.Text(), server_default="", nullable=False),
        sa.Column("ended_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("conflict_id", name=op.f("pk_draw_conflicts")),
    )
    op.create_index("ix_draw_conflicts_by_user", "draw_conflicts", ["user_id"], unique=False)
    op.create_table(
        "draw_projects",
        sa.Column("draw_id", sa.Text(), nullable=False),
        sa.Column("project_code", sa.Text(), nullable=False),
        sa.Column("band", sa.Text(), nullable=False),
        sa.Column("weight", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("place", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("inspectors", sa.Text(), server_default="[]", nullable=False),
        sa.PrimaryKeyConstraint("draw_id", "project_code", name=op.f("pk_draw_projects")),
    )
    op.create_index("ix_draw_projects_by_project", "draw_projects", ["project_code"], unique=False)
    op.create_table(
        "draws",
        sa.Column("draw_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("scope_code", sa.Text(), server_default="", nullable=False),
        sa.Column("on_day", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="frozen", nullable=False),
        sa.Column("pool", sa.Text(), nullable=False),
        sa.Column("pool_sha256", sa.Text(), nullable=False),
        sa.Column("nonce", sa.Text(), nullable=False),
        sa.Column("nonce_sha256", sa.Text(), nullable=False),
        sa.Column("frozen_by", sa.Text(), nullable=False),
        sa.Column("frozen_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("public_value", sa.Text(), server_default="", nullable=False),
        sa.Column("public_source", sa.Text(), server_default="", nullable=False),
        sa.Column("public_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("seed", sa.Text(), server_default="", nullable=False),
        sa.Column("result", sa.Text(), server_default="", nullable=False),
        sa.Column("result_sha256", sa.Text(), server_default="", nullable=False),
        sa.Column("drawn_by", sa.Text(), server_default="", nullable=False),
        sa.Column("drawn_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("revealed_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("revealed_by", sa.Text(), server_default="", nullable=False),
        sa.Column("round_id", sa.Text(), server_default="", nullable=False),
        sa.Column("redraw_of", sa.Text(), server_default="", nullable=False),
        sa.Column("redraw_reason", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("draw_id", name=op.f("pk_draws")),
    )
    op.create_index("ix_draws_by_day", "draws", ["on_day"], unique=False)
    op.create_table(
        "guarantors",
        sa.Column("project_code", sa.Text(), nullable=False),
        sa.Column("work_code", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), server_default="", nullable=False),
        sa.Column("named_by", sa.Text(), nullable=False),
        sa.Column("since_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("project_code", "work_code", "role", name=op.f("pk_guarantors")),
    )
    op.create_table(
        "handed_packages",
        sa.Column("hazard_id", sa.Text(), nullable=False),
        sa.Column("project_code", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("made_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("hazard_id", name=op.f("pk_handed_packages")),
    )
    op.create_table(
        "hazard_notices",
        sa.Column("hazard_id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("project_code", sa.Text(), nullable=False),
        sa.Column("user_name", sa.Text(), nullable=False),
        sa.Column("because", sa.Text(), nullable=False),
        sa.Column("told_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("read_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("hazard_id", "user_id", name=op.f("pk_hazard_notices")),
    )
    op.create_index("ix_hazard_notices_by_user", "hazard_notices", ["user_id", "read_at_ns"], unique=False)
    op.create_table(
        "key_risk_reports",
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("month", sa.Text(), nullable=False),
        sa.Column("figures", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("submitted_by", sa.Text(), nullable=False),
        sa.Column("submitted_name", sa.Text(), nullable=False),
        sa.Column("submitted_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("level", "code", "month", name=op.f("pk_key_risk_reports")),
    )
    op.create_table(
        "live_parts",
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("begins", sa.Integer(), server_default="0", nullable=False),
        sa.Column("at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("request_id", "number", name=op.f("pk_live_parts")),
    )
    op.create_table(
        "live_sessions",
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("project_code", sa.Text(), nullable=False),
        sa.Column("box_id", sa.Text(), nullable=False),
        sa.Column("camera_id", sa.Text(), nullable=False),
        sa.Column("message_id", sa.Text(), server_default="", nullable=False),
        sa.Column("state", sa.Text(), server_default="asked", nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("words", sa.Text(), server_default="", nullable=False),
        sa.Column("asked_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("until_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("answered_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("first_part_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("last_part_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("last_number", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("ended_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("request_id", name=op.f("pk_live_sessions")),
    )
    op.create_index("ix_live_sessions_open", "live_sessions", ["ended_at_ns", "box_id"], unique=False)
    op.create_table(
        "live_viewers",
        sa.Column("viewer_id", sa.Text(), nullable=False),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("project_code", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("session_id", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), server_default="{}", nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("asked_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("lease_until_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("began_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("ended_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("viewer_id", name=op.f("pk_live_viewers")),
    )
    op.create_index("ix_live_viewers_of", "live_viewers", ["request_id", "ended_at_ns"], unique=False)
    op.create_index("ix_live_viewers_open", "live_viewers", ["ended_at_ns", "lease_until_ns"], unique=False)
    op.create_table(
        "pack_offers",
        sa.Column("offer_id", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("box_id", sa.Text(), nullable=False),
        sa.Column("project_code", sa.Text(), nullable=False),
        sa.Column("withdrawn", sa.Integer(), server_default="0", nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("offered_by", sa.Text(), nullable=False),
        sa.Column("offered_name", sa.Text(), server_default="", nullable=False),
        sa.Column("offered_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), server_default="", nullable=False),
        sa.Column("words_zh", sa.Text(), server_default="", nullable=False),
        sa.Column("words_en", sa.Text(), server_default="", nullable=False),
        sa.Column("answered_by", sa.Text(), server_default="", nullable=False),
        sa.Column("answered_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("heard_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("evidence_seq", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("offer_id", name=op.f("pk_pack_offers")),
    )
    op.create_index("ix_pack_offers_of_box", "pack_offers", ["box_id", "offered_at_ns"], unique=False)
    op.create_index("ix_pack_offers_of_pack", "pack_offers", ["sha256", "offered_at_ns"], unique=False)
    op.create_table(
        "reports",
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("period", sa.Text(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("region_code", sa.Text(), server_default="", nullable=False),
        sa.Column("edition", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("state", sa.Text(), server_default="draft", nullable=False),
        sa.Column("replaces", sa.Text(), server_default="", nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("html_sha256", sa.Text(), server_default="", nullable=False),
        sa.Column("pdf_sha256", sa.Text(), server_default="", nullable=False),
        sa.Column("drafted_by", sa.Text(), nullable=False),
        sa.Column("drafted_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("issued_by", sa.Text(), server_default="", nullable=False),
        sa.Column("issuer_name", sa.Text(), server_default="", nullable=False),
        sa.Column("issued_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("ledger_seq", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_reports")),
        sa.UniqueConstraint(
            "kind",
            "period",
            "level",
            "region_code",
            "edition",
            name=op.f("uq_reports_kind_period_level_region_code_edition"),
        ),
    )
    op.create_index("ix_reports_by_period", "reports", ["period", "level", "region_code"], unique=False)
    op.create_index("ix_reports_by_region", "reports", ["level", "region_code", "period"], unique=False)
    op.create_table(
        "review_acknowledgements",
        sa.Column("item_id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("project_code", sa.Text(), nullable=False),
        sa.Column("user_name", sa.Text(), nullable=False),
        sa.Column("at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("item_id", "user_id", name=op.f("pk_review_acknowledgements")),
    )
    op.create_table(
        "review_shelves",
        sa.Column("item_id", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("project_code", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("user_name", sa.Text(), nullable=False),
        sa.Column("at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("until_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("ended_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("ended_by", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("item_id", "number", name=op.f("pk_review_shelves")),
    )
    op.create_index("ix_review_shelves_until", "review_shelves", ["until_ns"], unique=False)
    op.create_table(
        "risk_dirty",
        sa.Column("project_code", sa.Text(), nullable=False),
        sa.Column("since_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("project_code", name=op.f("pk_risk_dirty")),
    )
    op.create_table(
        "risk_latest",
        sa.Column("project_code", sa.Text(), nullable=False),
        sa.Column("scored_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("score", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("band", sa.Text(), nullable=False),
        sa.Column("reasons", sa.Text(), server_default="[]", nullable=False),
        sa.Column("factors", sa.Text(), server_default="[]", nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("day", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("project_code", name=op.f("pk_risk_latest")),
    )
    op.create_index("ix_risk_latest_by_score", "risk_latest", ["score"], unique=False)
    op.create_table(
        "risk_scores",
        sa.Column("project_code", sa.Text(), nullable=False),
        sa.Column("scored_at_ns", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("score", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("band", sa.Text(), nullable=False),
        sa.Column("reasons", sa.Text(), server_default="[]", nullable=False),
        sa.Column("factors", sa.Text(), server_default="[]", nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("day", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("project_code", "scored_at_ns", name=op.f("pk_risk_scores")),
    )
    op.create_index("ix_risk_scores_by_day", "risk_scores", ["day"], unique=False)
    op.create_table(
        "round_targets",
        sa.Column("round_id", sa.Text(), nullable=False),
        sa.Column("project_code", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("round_id", "project_code", name=op.f("pk_round_targets")),
    )
    op.create_index("ix_round_targets_by_project", "round_targets", ["project_code"], unique=False)
    op.create_table(
        "rule_packs",
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("title_zh", sa.Text(), server_default="", nullable=False),
        sa.Column("title_en", sa.Text(), server_default="", nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("files", sa.Text(), nullable=False),
        sa.Column("characters", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("scope_code", sa.Text(), server_default="", nullable=False),
        sa.Column("added_by", sa.Text(), nullable=False),
        sa.Column("added_name", sa.Text(), server_default="", nullable=False),
        sa.Column("added_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_rule_packs")),
    )
    op.create_index("ix_rule_packs_by_name", "rule_packs", ["name", "added_at_ns"], unique=False)
    op.create_table(
        "safety_log_flags",
        sa.Column("project_code", sa.Text(), nullable=False),
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("ground", sa.Text(), nullable=False),
        sa.Column("flagged_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("came_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("project_code", "day", name=op.f("pk_safety_log_flags")),
    )
    op.create_index("ix_safety_log_flags_by_day", "safety_log_flags", ["day"], unique=False)
    op.create_table(
        "safety_logs",
        sa.Column("project_code", sa.Text(), nullable=False),
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("box_id", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), server_default="", nullable=False),
        sa.Column("signed_by", sa.Text(), nullable=False),
        sa.Column("signed_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("kept_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("evidence_seq", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("project_code", "day", "box_id", name=op.f("pk_safety_logs")),
    )
    op.create_index("ix_safety_logs_by_day", "safety_logs", ["day"], unique=False)
    op.create_table(
        "statistics_alarm_days",
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("project_code", sa.Text(), nullable=False),
        sa.Column("p1", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("p2", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("p3", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("p1_waiting", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("p2_waiting", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("p3_waiting", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("p1_late", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("peak", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("flood_windows", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("busy_windows", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("fleeting", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("chattering", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("tags", sa.Text(), server_default="{}", nullable=False),
        sa.Column("delays", sa.Text(), server_default="{}", nullable=False),
        sa.PrimaryKeyConstraint("day", "project_code", name=op.f("pk_statistics_alarm_days")),
    )
    op.create_index(
        "ix_statistics_alarm_days_by_project", "statistics_alarm_days", ["project_code", "day"], unique=False
    )
    op.create_table(
        "statistics_books",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("read_up_to_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_statistics_books")),
    )
    op.create_table(
        "statistics_dirty",
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("project_code", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("day", "project_code", name=op.f("pk_statistics_dirty")),
    )
    op.create_table(
        "statistics_long_alarms",
        sa.Column("box_id", sa.Text(), nullable=False),
        sa.Column("alarm_id", sa.Text(), nullable=False),
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("project_code", sa.Text(), nullable=False),
        sa.Column("raised_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("returned_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("box_id", "alarm_id", name=op.f("pk_statistics_long_alarms")),
    )
    op.create_index("ix_statistics_long_alarms_by_day", "statistics_long_alarms", ["day", "project_code"], unique=False)
    op.create_index(
        "ix_statistics_long_alarms_by_project", "statistics_long_alarms", ["project_code", "raised_at_ns"], unique=False
    )
    op.create_table(
        "statistics_silencing",
        sa.Column("box_id", sa.Text(), nullable=False),
        sa.Column("record_seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("project_code", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("how", sa.Text(), nullable=False),
        sa.Column("silenced", sa.Integer(), server_default="0", nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("until_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("box_id", "record_seq", name=op.f("pk_statistics_silencing")),
    )
    op.create_index(
        "ix_statistics_silencing_by_project", "statistics_silencing", ["project_code", "at_ns"], unique=False
    )
    op.create_index(
        "ix_statistics_silencing_by_subject",
        "statistics_silencing",
        ["box_id", "subject", "how", "record_seq"],
        unique=False,
    )
    op.create_table(
        "theme_checks",
        sa.Column("check_id", sa.Text(), nullable=False),
        sa.Column("theme_id", sa.Text(), nullable=False),
        sa.Column("project_code", sa.Text(), nullable=False),
        sa.Column("on_day", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), server_default="", nullable=False),
        sa.Column("inspector", sa.Text(), nullable=False),
        sa.Column("at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("check_id", name=op.f("pk_theme_checks")),
    )
    op.create_index("ix_theme_checks_of", "theme_checks", ["theme_id", "project_code"], unique=False)
    op.create_table(
        "themes",
        sa.Column("theme_id", sa.Text(), nullable=False),
        sa.Column("month", sa.Text(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("scope_code", sa.Text(), server_default="", nullable=False),
        sa.Column("topic", sa.Text(), server_default="", nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), server_default="", nullable=False),
        sa.Column("works_type", sa.Text(), server_default="", nullable=False),
        sa.Column("band", sa.Text(), server_default="", nullable=False),
        sa.Column("target_percent", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("made_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("theme_id", name=op.f("pk_themes")),
        sa.UniqueConstraint("month", "level", "scope_code", name=op.f("uq_themes_month_level_scope_code")),
    )
    op.create_index("ix_themes_by_month", "themes", ["month"], unique=False)
    op.create_table(
        "wall_heads",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("looked_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_wall_heads")),
    )
    op.create_table(
        "wall_stills",
        sa.Column("project_code", sa.Text(), nullable=False),
        sa.Column("camera_id", sa.Text(), nullable=False),
        sa.Column("box_id", sa.Text(), nullable=False),
        sa.Column("asset", sa.Text(), server_default="", nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("width_px", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("height_px", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("captured_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("received_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("project_code", "camera_id", name=op.f("pk_wall_stills")),
    )
    op.create_table(
        "wall_tiles",
        sa.Column("project_code", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("made_at_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("day", sa.Text(), server_default="", nullable=False),
        sa.Column("worst", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("unacknowledged", sa.Integer(), server_default="0", nullable=False),
        sa.Column("active", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("alarms_today", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("hazards", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("overdue", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("link", sa.Text(), server_default="none", nullable=False),
        sa.Column("score", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("band", sa.Text(), server_default="unknown", nullable=False),
        sa.Column("rung", sa.Text(), server_default="", nullable=False),
        sa.Column("rung_unknown", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("project_code", name=op.f("pk_wall_tiles")),
    )
    op.create_index("ix_wall_tiles_by_seq", "wall_tiles", ["seq"], unique=False)
    op.create_index(
        "ix_alarms_active",
        "alarms",
        ["project_code"],
        unique=False,
        sqlite_where=sa.text("active = 1"),
        postgresql_where=sa.text("active = 1"),
    )
    op.create_index("ix_alarms_at_place", "alarms", ["box_id", "rule_id", "raised_at_ns"], unique=False)
    op.create_index(
        "ix_alarms_unacknowledged",
        "alarms",
        ["severity", "accepted_at_ns"],
        unique=False,
        sqlite_where=sa.text("acknowledged = 0"),
        postgresql_where=sa.text("acknowledged = 0"),
    )
    op.add_column("boxes", sa.Column("clock_offset_ns", sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("boxes", sa.Column("clock_heard_at_ns", sa.BigInteger(), server_default="0", nullable=False))
    op.create_index("ix_ledger_by_time", "ledger_entries", ["at_ns", "chain", "seq"], unique=False)
    op.create_index("ix_review_items_lately", "review_items", [sa.text("judged_at_ns DESC"), "item_id"])
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE live_parts SET UNLOGGED")  # what passes through is in no log and no backup made of one
