"""What boxes are: their state as they say it, rule packs that the desk keeps, and what came of offering them.

Packs, offers and past states are records. `box_states` holds the newest one of each box; every one that differed from
the one before is in `box_state_changes` as well.
"""

from sqlalchemy import Index, Table

from regulator.base.records.tables.metadata import METADATA, flag, moment, text, whole

box_states = Table(
    "box_states",
    METADATA,
    text("box_id", key=True),
    text("body", default=None),
    text("sha256", default=None),
    moment("changed_at_ns"),
    moment("heard_at_ns"),
)
"""`body`: canonical JSON of the contract's `BoxState`; `sha256` is over what changes only when the box does."""

box_state_changes = Table(
    "box_state_changes",
    METADATA,
    text("box_id", key=True),
    whole("heard_at_ns", key=True),
    text("body", default=None),
    text("sha256", default=None),
)

rule_packs = Table(
    "rule_packs",
    METADATA,
    text("sha256", key=True),
    text("name", default=None),
    text("title_zh"),
    text("title_en"),
    text("note"),
    text("files", default=None),
    whole("characters"),
    text("level", default=None),
    text("scope_code"),
    text("added_by", default=None),
    text("added_name"),
    moment("added_at_ns"),
    Index("ix_rule_packs_by_name", "name", "added_at_ns"),
)
"""`files`: canonical JSON {file name: text}. `level`, `scope_code`: whose pack it is."""

pack_offers = Table(
    "pack_offers",
    METADATA,
    text("offer_id", key=True),
    text("sha256", default=None),
    text("name", default=None),
    text("box_id", default=None),
    text("project_code", default=None),
    flag("withdrawn"),
    text("reason"),
    text("offered_by", default=None),
    text("offered_name"),
    moment("offered_at_ns"),
    text("message_id", default=None),
    text("outcome"),
    text("words_zh"),
    text("words_en"),
    text("answered_by"),
    moment("answered_at_ns"),
    moment("heard_at_ns"),
    whole("evidence_seq"),
    Index("ix_pack_offers_of_box", "box_id", "offered_at_ns"),
    Index("ix_pack_offers_of_pack", "sha256", "offered_at_ns"),
)
"""`outcome` empty: the box has not answered. `withdrawn`: the offer is to go without the pack. `answered_at_ns` is the
box's time, `heard_at_ns` ours."""
