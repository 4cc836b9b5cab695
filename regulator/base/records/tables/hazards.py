"""Hazards and what belongs to them: deadlines, evidence, sections, orders, replies, requests, analogies, accidents.

Rows are added and moved on, never removed; every change has its ledger entry. A deadline's `due_at_ns` is never
changed: an extension ends one row and begins the next, which names it in `predecessor`.
"""

from sqlalchemy import Index, Table, UniqueConstraint

from regulator.base.records.tables.metadata import METADATA, flag, moment, text, whole

hazards = Table(
    "hazards",
    METADATA,
    text("hazard_id", key=True),
    text("number"),
    text("project_code", default=None),
    text("channel", default=None),
    text("kind", default=None),
    text("grade", default=None),
    text("state", default=None),
    text("title_zh", default=None),
    text("title_en"),
    text("words"),
    text("place_id"),
    text("rule_id"),
    text("box_id"),
    text("alarm_id"),
    text("event_key", default=None),
    text("catalogue_code"),
    text("catalogue_edition"),
    text("other_code"),
    text("other_edition"),
    text("works_type"),
    moment("observed_at_ns"),
    moment("opened_at_ns"),
    text("opened_by"),
    flag("back_dated"),
    text("back_date_reason"),
    moment("confirmed_at_ns"),
    text("confirmed_by", default="[]"),
    moment("ordered_at_ns"),
    moment("closed_at_ns"),
    moment("due_at_ns"),
    text("listed_level"),
    moment("listed_at_ns"),
    moment("stopped_at_ns"),
    moment("resumed_at_ns"),
    moment("disputed_at_ns"),
    moment("handed_over_at_ns"),
    whole("extensions"),
    whole("round"),
    text("held_by_level", default="county"),
    moment("held_since_ns"),
    UniqueConstraint("event_key"),
    Index("ix_hazards_by_project", "project_code", "state"),
    Index("ix_hazards_by_state", "state", "due_at_ns"),
    Index("ix_hazards_by_alarm", "box_id", "alarm_id"),
    Index("ix_hazards_by_opening", "opened_at_ns", "hazard_id"),
)
"""`confirmed_by`: a JSON list of the persons. `round` counts how often rectification was asked for, from 1.

`listed_level`: the highest level of listed supervision (挂牌督办), empty without.
"""

hazard_deadlines = Table(
    "hazard_deadlines",
    METADATA,
    text("deadline_id", key=True),
    text("hazard_id", default=None),
    text("project_code", default=None),
    text("what", default=None),
    text("level"),
    moment("started_at_ns"),
    moment("due_at_ns"),
    text("rule_id", default=None),
    text("pack", default=None),
    text("rule_zh", default=None),
    text("rule_en", default=None),
    text("clause"),
    text("certainty"),
    text("predecessor"),
    moment("overdue_at_ns"),
    moment("ended_at_ns"),
    text("outcome"),
    Index("ix_hazard_deadlines_of", "hazard_id", "ended_at_ns"),
    Index("ix_hazard_deadlines_due", "ended_at_ns", "due_at_ns"),
)
"""`what`: rectify, listing, look_back, analogy,
accident_province, accident_national. `outcome`: met, extended, void."""

hazard_warnings = Table(
    "hazard_warnings",
    METADATA,
    text("deadline_id", key=True),
    text("name", key=True),
    text("project_code", default=None),
    moment("at_ns"),
    moment("given_at_ns"),
    Index("ix_hazard_warnings_due", "given_at_ns", "at_ns"),
)
"""Warnings of a deadline, laid down when it begins: `50%`, `80%`, `T-6h` ... ; the job gives each of them once."""

hazard_holders = Table(
    "hazard_holders",
    METADATA,
    text("hazard_id", key=True),
    whole("number", key=True),
    text("project_code", default=None),
    text("level", default=None),
    moment("since_ns"),
    text("reason"),
)
"""Who holds a hazard since when (县、市、省). The last row is the present."""

hazard_evidence = Table(
    "hazard_evidence",
    METADATA,
    text("hazard_id", key=True),
    whole("number", key=True),
    text("sha256", default=None),
    text("media_type"),
    text("kind", default=None),
    text("name"),
    whole("size_bytes"),
    whole("round"),
    text("added_by", default=None),
    text("persons", default="[]"),
    moment("added_at_ns"),
    whole("ledger_seq"),
    UniqueConstraint("hazard_id", "sha256"),
    Index("ix_hazard_evidence_by_digest", "sha256"),
)
"""`kind`: found, site_check, rectified, recheck, section, refusal, accident, look_back. A digest is evidence once."""

hazard_sections = Table(
    "hazard_sections",
    METADATA,
    text("hazard_id", key=True),
    text("section", key=True),
    text("project_code", default=None),
    text("words"),
    text("evidence_sha256"),
    text("written_by"),
    text("written_persons", default="[]"),
    moment("written_at_ns"),
    text("signed_by"),
    moment("signed_at_ns"),
)
"""四不放过: cause, people, measures, education; each with words, evidence and a signature of another person."""

hazard_requests = Table(
    "hazard_requests",
    METADATA,
    text("request_id", key=True),
    text("hazard_id", default=None),
    text("project_code", default=None),
    text("kind", default=None),
    text("words"),
    text("deadline_id"),
    moment("proposed_due_at_ns"),
    text("asked_by", default=None),
    text("asked_persons", default="[]"),
    moment("asked_at_ns"),
    text("decided_by"),
    moment("decided_at_ns"),
    text("outcome"),
    Index("ix_hazard_requests_of", "hazard_id", "decided_at_ns"),
)
"""What needs a second or a higher person: extension, regrade, supervision. `outcome`: granted, refused, empty: open."""

hazard_orders = Table(
    "hazard_orders",
    METADATA,
    text("order_id", key=True),
    text("number", default=None),
    text("hazard_id", default=None),
    text("project_code", default=None),
    text("box_id"),
    text("kind", default=None),
    text("words"),
    text("legal_basis", default=None),
    text("severity"),
    moment("deadline_at_ns"),
    text("rule_zh"),
    text("rule_en"),
    text("issued_by", default=None),
    text("issued_level"),
    moment("issued_at_ns"),
    text("message_id"),
    text("document_id"),
    moment("seen_at_ns"),
    Index("ix_hazard_orders_of", "hazard_id", "issued_at_ns"),
    Index("ix_hazard_orders_by_number", "number"),
)
"""`kind`: rectify, stop_work, supervise, resume. `message_id` is empty where the project has no box."""

hazard_replies = Table(
    "hazard_replies",
    METADATA,
    text("reply_id", key=True),
    text("order_id"),
    text("hazard_id", default=None),
    text("project_code", default=None),
    text("answer", default=None),
    text("words"),
    text("user_id", default=None),
    text("persons", default="[]"),
    text("outcome"),
    moment("answered_at_ns"),
    moment("kept_at_ns"),
    Index("ix_hazard_replies_of", "hazard_id", "kept_at_ns"),
)
"""What the site answered, from its box or by an account. `outcome`: the name of the refusal where it moved nothing."""

hazard_analogies = Table(
    "hazard_analogies",
    METADATA,
    text("hazard_id", key=True),
    text("project_code", key=True),
    text("source_project", default=None),
    text("firm_code"),
    text("works_type", default=None),
    moment("created_at_ns"),
    moment("due_at_ns"),
    text("result"),
    text("words"),
    text("found_hazard_id"),
    text("done_by"),
    moment("done_at_ns"),
    Index("ix_hazard_analogies_by_project", "project_code", "done_at_ns"),
)
"""举一反三: one check of the same kind of works in each other project of the firm. `result`: none or found."""

accident_receipts = Table(
    "accident_receipts",
    METADATA,
    text("hazard_id", key=True),
    text("target", key=True),
    whole("number", key=True),
    text("project_code", default=None),
    text("receipt_number", default=None),
    text("sha256"),
    moment("submitted_at_ns"),
    text("recorded_by", default=None),
    moment("recorded_at_ns"),
    whole("ledger_seq"),
)
"""What the higher platform answered to a report. `target`: province or national. Added, never changed."""

accident_follow_ups = Table(
    "accident_follow_ups",
    METADATA,
    text("hazard_id", key=True),
    text("item", key=True),
    text("project_code", default=None),
    text("words"),
    text("done_by"),
    moment("done_at_ns"),
)
"""一案五究 as notice D names it: publicity, credit, market_conduct, licence, state_assets."""
