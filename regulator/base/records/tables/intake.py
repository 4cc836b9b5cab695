"""What came from boxes: boxes and keys, items as sent, alarms as they stand, chains, files, mail, anchors, findings.

Items, chain records, receipts and what was kept aside are only ever added. `alarms` and `alarm_media` are projections
of items that can be made again from them. Partial unique indexes keep one open finding for each thing.
"""

from sqlalchemy import Column, Index, Table, Text
from sqlalchemy import text as clause

from regulator.base.records.tables.metadata import METADATA, flag, moment, text, whole

boxes = Table(
    "boxes",
    METADATA,
    text("box_id", key=True),
    text("project_code", default=None),
    text("software"),
    moment("enrolled_at_ns"),
    moment("last_seen_ns"),
    whole("seq_highest"),
    text("seq_bits", default="0"),
    whole("verified_seq"),
    text("verified_sha256", default=None),
    text("chain_fault"),
    moment("gap_since_ns"),
    whole("head_seq"),
    text("head_sha256"),
    moment("head_at_ns"),
    text("counters", default="{}"),
    whole("clock_offset_ns"),
    moment("clock_heard_at_ns"),
    flag("waiting"),
    moment("assigned_at_ns"),
    moment("revoked_at_ns"),
    text("enrolled_by"),
    whole("items_accepted"),
    Index("ix_boxes_by_project", "project_code"),
)
"""`waiting`: enrolled, and not heard before an approver admits it. `assigned_at_ns`: since when orders go to it; the
newest of a project's boxes that are heard has them. `revoked_at_ns` 0: in force. `enrolled_by`: JSON, the persons who
issued the code that it enrolled with. `head_*`: what the box itself said last. `clock_offset_ns`: its clock less ours
when its last heartbeat came, the way included; known only where `clock_heard_at_ns` is. `verified_*`: how far its chain
holds here. `gap_since_ns` 0: no gap. `items_accepted`: the number of its last item."""

box_keys = Table(
    "box_keys",
    METADATA,
    text("box_id", key=True),
    text("key_id", key=True),
    text("alg", default=None),
    text("public_text", default=None),
    moment("added_at_ns"),
    moment("retired_at_ns"),
    Index("ix_box_keys_by_key", "key_id"),
)

codes = Table(
    "codes",
    METADATA,
    text("code_sha256", key=True),
    text("box_id"),
    moment("issued_at_ns"),
    text("used_by"),
    text("used_key_id"),
    moment("used_at_ns"),
    text("project_code"),
    moment("expires_at_ns"),
    text("issued_by"),
    text("issued_name"),
    moment("revoked_at_ns"),
    Index("ix_codes_of_box", "box_id", "issued_at_ns"),
)
"""One-time enrolment codes, by digest only. Each is for one box of one project. `issued_by`: JSON, persons."""

items = Table(
    "items",
    METADATA,
    text("box_id", key=True),
    text("key", key=True),
    text("kind", default=None),
    whole("seq"),
    flag("late"),
    moment("sent_at_ns"),
    moment("accepted_at_ns"),
    text("body", default=None),
    text("body_sha256", default=None),
    text("envelope", default=None),
    text("envelope_signature", default=None),
    text("receipt", default=None),
    whole("number"),
    Index("ix_items_by_arrival", "kind", "accepted_at_ns"),
    Index("ix_items_of_box", "box_id", "kind", "accepted_at_ns"),
    Index(
        "uq_items_number",
        "box_id",
        "number",
        unique=True,
        sqlite_where=clause("number > 0"),
        postgresql_where=clause("number > 0"),
    ),
)
"""`body` is the canonical text, `envelope` the exact bytes that the signature is over. `number`: a box's first is 1,
each next one more, so that a deleted row is missed."""

alerts = Table(
    "alerts",
    METADATA,
    text("box_id", key=True),
    text("key", key=True),
    text("alarm_id", default=None),
    text("project_code", default=None),
    text("asset"),
    text("subject"),
    text("rule_id", default=None),
    text("severity", default=None),
    text("transition", default=None),
    text("title_zh"),
    text("title_en"),
    Column("measured", Text),
    Column("limit_value", Text),
    text("unit"),
    flag("suspected"),
    flag("late"),
    text("user_name"),
    text("reason"),
    moment("observed_at_ns"),
    moment("accepted_at_ns"),
    Index("ix_alerts_by_arrival", "accepted_at_ns"),
    Index("ix_alerts_of_alarm", "box_id", "alarm_id"),
)
"""Transitions of alarms, one row each."""

alarms = Table(
    "alarms",
    METADATA,
    text("box_id", key=True),
    text("alarm_id", key=True),
    text("project_code", default=None),
    text("rule_id", default=None),
    text("severity", default=None),
    text("subject"),
    text("asset"),
    text("asset_kind"),
    text("title_zh"),
    text("title_en"),
    Column("measured", Text),
    Column("limit_value", Text),
    text("unit"),
    text("limit_source"),
    text("clause"),
    text("certainty"),
    flag("suspected"),
    text("hazard_code"),
    text("hazard_edition"),
    text("other_code"),
    text("other_edition"),
    text("raised_event"),
    moment("raised_at_ns"),
    moment("acknowledged_at_ns"),
    moment("returned_at_ns"),
    moment("handed_over_at_ns"),
    flag("active"),
    flag("acknowledged"),
    moment("accepted_at_ns"),
    flag("late"),
    whole("evidence_seq"),
    text("evidence_sha256"),
    Index("ix_alarms_by_arrival", "accepted_at_ns"),
    Index("ix_alarms_of_project", "project_code", "raised_at_ns"),
    Index("ix_alarms_at_place", "box_id", "rule_id", "raised_at_ns"),
    Index(
        "ix_alarms_unacknowledged",
        "severity",
        "accepted_at_ns",
        sqlite_where=clause("acknowledged = 0"),
        postgresql_where=clause("acknowledged = 0"),
    ),
    Index(
        "ix_alarms_active",
        "project_code",
        sqlite_where=clause("active = 1"),
        postgresql_where=clause("active = 1"),
    ),
)
"""An alarm as it stands, whatever order its transitions came in. `raised_event` '' while the raise has not come."""

alarm_media = Table(
    "alarm_media",
    METADATA,
    text("box_id", key=True),
    text("item_key", key=True),
    text("alarm_id"),
    text("event_id", default=None),
    text("kind", default=None),
    text("sha256", default=None),
    text("media_type"),
    text("camera_id"),
    moment("started_at_ns"),
    whole("duration_ms"),
    whole("size_bytes"),
    Index("ix_alarm_media_of_alarm", "box_id", "alarm_id"),
    Index("ix_alarm_media_of_event", "box_id", "event_id"),
)
"""`kind`: thumbnail (bytes in the item's body) or segment (bytes on the shelf). `alarm_id` '' until its alarm came."""

chain_records = Table(
    "chain_records",
    METADATA,
    text("box_id", key=True),
    whole("seq", key=True),
    text("sha256", key=True),
    text("prev", default=None),
    whole("envelope_seq"),
    text("record", default=None),
    moment("accepted_at_ns"),
)

blobs = Table(
    "blobs",
    METADATA,
    text("sha256", key=True),
    whole("size_bytes"),
    text("media_type"),
    text("box_id"),
    moment("completed_at_ns"),
)

blob_senders = Table("blob_senders", METADATA, text("sha256", key=True), text("box_id", key=True))
"""Who sent a file whole, so that nobody shows a file that only another box has."""

loose_files = Table(
    "loose_files",
    METADATA,
    text("box_id", key=True),
    text("sha256", key=True),
    whole("size_bytes"),
    moment("touched_at_ns"),
    Index("ix_loose_files_by_age", "touched_at_ns"),
)
"""Files that a box sends, or has sent, and that no message of it names yet. `size_bytes`: as the box says."""

mailbox = Table(
    "mailbox",
    METADATA,
    text("box_id", key=True),
    whole("mailbox_seq", key=True),
    text("message_id", default=None),
    text("kind", default=None),
    text("signed", default=None),
    moment("issued_at_ns"),
    moment("acknowledged_at_ns"),
    text("outcome"),
    Index("uq_mailbox_message", "message_id", unique=True),
    Index(
        "ix_mailbox_waiting",
        "box_id",
        "mailbox_seq",
        sqlite_where=clause("acknowledged_at_ns = 0"),
        postgresql_where=clause("acknowledged_at_ns = 0"),
    ),
)

box_counters = Table("box_counters", METADATA, text("box_id", key=True), text("name", key=True), whole("count"))
"""Lasting counters; `box_id` '' for what names no enrolled box."""

anchors = Table(
    "anchors",
    METADATA,
    text("box_id", key=True),
    whole("number", key=True),
    text("project_code", default=None),
    whole("seq"),
    text("sha256", default=None),
    whole("head_seq"),
    text("head_sha256"),
    moment("at_ns"),
    text("ledger_chain", default=None),
    whole("ledger_seq"),
)
"""The verified head of a box's chain at a time, countersigned by the ledger entry it names."""

findings = Table(
    "findings",
    METADATA,
    text("finding_id", key=True),
    text("kind", default=None),
    text("project_code"),
    text("box_id"),
    text("subject", default=None),
    text("words_zh", default=None),
    text("words_en", default=None),
    moment("opened_at_ns"),
    moment("closed_at_ns"),
    text("closed_because"),
    whole("again"),
    moment("last_at_ns"),
    Index("ix_findings_of_project", "project_code", "opened_at_ns"),
    Index(
        "uq_findings_open",
        "kind",
        "subject",
        unique=True,
        sqlite_where=clause("closed_at_ns = 0"),
        postgresql_where=clause("closed_at_ns = 0"),
    ),
)

"""`again`: how many times more it was noticed, the last time at `last_at_ns`; counted for some kinds only."""

kept_aside = Table(
    "kept_aside",
    METADATA,
    text("aside_id", key=True),
    moment("at_ns"),
    text("box_id"),
    text("address"),
    text("code", default=None),
    text("field"),
    text("expected"),
    whole("size_bytes"),
    text("sha256", default=None),
    text("content_base64", default=None),
    text("signature"),
    Index("ix_kept_aside_by_box", "box_id", "at_ns"),
)
"""Bad input: its first 64 KiB, what was wrong with it, when. `box_id`: who it says it is, if that box is enrolled."""
