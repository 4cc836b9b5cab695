"""The review desk: items worth a person's look, leases on them, verdicts, contact sheets, site checks.

`review_items` holds how an item stands now; `review_verdicts` everything that was ever said of it, only ever added to.
Round 1 decides; round 2 is the blind second look of the sample and decides nothing.
"""

from sqlalchemy import Index, Table, UniqueConstraint
from sqlalchemy import text as clause

from regulator.base.records.tables.metadata import METADATA, flag, moment, text, whole

review_items = Table(
    "review_items",
    METADATA,
    text("item_id", key=True),
    text("project_code", default=None),
    text("box_id", default=None),
    text("alarm_id", default=None),
    whole("round"),
    text("rule_id"),
    text("source_id"),
    text("asset_kind"),
    text("severity", default=None),
    whole("rank"),
    whole("aged_min"),
    whole("risk"),
    text("risk_reasons"),
    moment("raised_at_ns"),
    moment("queued_at_ns"),
    text("stage", default=None),
    text("group_key", default=None),
    flag("sampled"),
    text("state", default="open"),
    text("verdict"),
    whole("false_reason"),
    whole("verdict_number"),
    text("judged_by"),
    text("judged_for"),
    text("judged_name"),
    moment("judged_at_ns"),
    whole("took_ms"),
    flag("bulk"),
    text("sheet_id"),
    text("hazard_id"),
    text("barred_user"),
    text("barred_for"),
    text("lease_by"),
    text("lease_name"),
    moment("lease_since_ns"),
    moment("lease_until_ns"),
    UniqueConstraint("box_id", "alarm_id", "round"),
    Index("ix_review_items_queue", "state", "rank", "aged_min", clause("risk DESC"), "item_id"),
    Index("ix_review_items_group", "group_key", "state"),
    Index("ix_review_items_project", "project_code", "queued_at_ns"),
    Index("ix_review_items_judged", "state", "judged_at_ns"),
    Index("ix_review_items_of_project_judged", "project_code", "judged_at_ns"),
    Index("ix_review_items_lately", clause("judged_at_ns DESC"), "item_id"),
)
"""`rank`: 1 for P1 to 4. `aged_min`: the minute (UTC) its age counts from. `state`: open, provisional (may be undone)
or final. `barred_*`: the persons of the first verdict, who never get the second look. A lease whose time has passed is
none."""

review_verdicts = Table(
    "review_verdicts",
    METADATA,
    text("item_id", key=True),
    whole("number", key=True),
    text("kind", default=None),
    text("verdict"),
    whole("false_reason"),
    text("words"),
    text("user_id"),
    text("user_name"),
    text("actor", default="{}"),
    moment("at_ns"),
    whole("took_ms"),
    flag("bulk"),
    text("sheet_id"),
    whole("ledger_seq"),
)
"""`kind`: judged, undone, final, refused (a hazard could not be opened) or reopened. `actor`: canonical JSON."""

review_seen = Table(
    "review_seen", METADATA, text("item_id", key=True), text("user_id", key=True), moment("first_at_ns")
)

review_sheets = Table(
    "review_sheets",
    METADATA,
    text("sheet_id", key=True),
    text("user_id", default=None),
    text("project_code", default=None),
    text("group_key", default=None),
    text("item_ids", default="[]"),
    moment("rendered_at_ns"),
)
"""A contact sheet that was put before a person: what a bulk verdict may be about."""

review_pictures = Table(
    "review_pictures",
    METADATA,
    text("box_id", key=True),
    text("alarm_id", key=True),
    text("sha256", key=True),
    text("media_class"),
    whole("place"),
    text("media_type"),
    whole("width_px"),
    whole("height_px"),
    moment("captured_at_ns"),
    whole("duration_ms"),
    text("boxes", default="[]"),
    text("versions", default="{}"),
    whole("record_seq"),
)
"""What the box's chain says of a picture: its boxes lie beside the pixels. `boxes`: JSON rows x1, y1, x2, y2 (whole
pixels), class code, score in thousandths, track."""

review_site_checks = Table(
    "review_site_checks",
    METADATA,
    text("item_id", key=True),
    text("project_code", default=None),
    text("asked_by"),
    text("asked_name"),
    text("words"),
    moment("asked_at_ns"),
    text("outcome"),
    text("found_words"),
    text("done_by"),
    text("done_name"),
    moment("done_at_ns"),
    text("hazard_id"),
    Index("ix_review_site_checks_open", "outcome", "asked_at_ns"),
)
"""A doubtful item waits for somebody to look on site. `outcome`: empty, found or not_found."""

review_acknowledgements = Table(
    "review_acknowledgements",
    METADATA,
    text("item_id", key=True),
    text("user_id", key=True),
    text("project_code", default=None),
    text("user_name", default=None),
    moment("at_ns"),
)
"""Who said that an item was seen and is being dealt with. Says nothing of whether it is true."""

review_shelves = Table(
    "review_shelves",
    METADATA,
    text("item_id", key=True),
    whole("number", key=True),
    text("project_code", default=None),
    text("reason", default=None),
    text("user_id", default=None),
    text("user_name", default=None),
    moment("at_ns"),
    moment("until_ns"),
    moment("ended_at_ns"),
    text("ended_by"),
    Index("ix_review_shelves_until", "until_ns"),
)
"""An item that was put aside for some hours. `ended_at_ns`: fetched back before its time, else 0."""

review_secrets = Table("review_secrets", METADATA, text("name", key=True), text("value", default=None))
"""What the sample is drawn with: one value for all replicas, never shown."""
