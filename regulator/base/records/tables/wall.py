"""The wall: how each project's tile stands, numbered by change, and the newest small picture of each camera.

Tiles are a projection of everything else and can be made again from it; pictures are of now and replaced by newer ones.
"""

from sqlalchemy import Column, Index, LargeBinary, Table

from regulator.base.records.tables.metadata import METADATA, flag, moment, text, whole

wall_heads = Table("wall_heads", METADATA, text("name", key=True), whole("seq"), moment("looked_at_ns"))
"""One row: the number of the last change, and until when arrivals were looked at. Whoever writes tiles locks it."""

wall_tiles = Table(
    "wall_tiles",
    METADATA,
    text("project_code", key=True),
    whole("seq"),
    moment("made_at_ns"),
    text("day"),
    whole("worst"),
    flag("unacknowledged"),
    whole("active"),
    whole("alarms_today"),
    whole("hazards"),
    whole("overdue"),
    text("link", default="none"),
    whole("score"),
    text("band", default="unknown"),
    text("rung"),
    flag("rung_unknown"),
    Index("ix_wall_tiles_by_seq", "seq"),
)
"""`worst`: 1 to 3 of the active alarms, 0 without one. `link`: heard, silent, none (no box). `score` -1: unknown."""

wall_stills = Table(
    "wall_stills",
    METADATA,
    text("project_code", key=True),
    text("camera_id", key=True),
    text("box_id", default=None),
    text("asset"),
    text("sha256", default=None),
    text("media_type", default=None),
    whole("width_px"),
    whole("height_px"),
    moment("captured_at_ns"),
    moment("received_at_ns"),
    Column("body", LargeBinary, nullable=False),
)
"""Faces are blurred by the box. No evidence: the bytes are replaced by newer ones."""
