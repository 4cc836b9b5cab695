"""Live views: what was asked of a box, who watched from when to when, and the newest seconds on their way to browsers.

Sessions and viewers are records and stay. Parts are no records: they are passed on, and gone when newer ones came or
nobody watches.
"""

from sqlalchemy import Column, Index, LargeBinary, Table

from regulator.base.records.tables.metadata import METADATA, flag, moment, text, whole

live_sessions = Table(
    "live_sessions",
    METADATA,
    text("request_id", key=True),
    text("project_code", default=None),
    text("box_id", default=None),
    text("camera_id", default=None),
    text("message_id"),
    text("state", default="asked"),
    text("reason"),
    text("words"),
    moment("asked_at_ns"),
    moment("until_ns"),
    moment("answered_at_ns"),
    moment("first_part_at_ns"),
    moment("last_part_at_ns"),
    whole("last_number"),
    moment("ended_at_ns"),
    Index("ix_live_sessions_open", "ended_at_ns", "box_id"),
)
"""`state`: asked, opening, playing, ended, refused. One session serves all who watch the same camera."""

live_viewers = Table(
    "live_viewers",
    METADATA,
    text("viewer_id", key=True),
    text("request_id", default=None),
    text("project_code", default=None),
    text("user_id", default=None),
    text("session_id", default=None),
    text("actor", default="{}"),
    text("reason"),
    moment("asked_at_ns"),
    moment("lease_until_ns"),
    moment("began_at_ns"),
    moment("ended_at_ns"),
    Index("ix_live_viewers_of", "request_id", "ended_at_ns"),
    Index("ix_live_viewers_open", "ended_at_ns", "lease_until_ns"),
)
"""`began_at_ns`: when the first byte was let through, 0 when none was. `actor`: canonical JSON."""

live_parts = Table(
    "live_parts",
    METADATA,
    text("request_id", key=True),
    whole("number", key=True),
    flag("begins"),
    moment("at_ns"),
    Column("body", LargeBinary, nullable=False),
)
"""Only where several processes serve (PostgreSQL), and not written to its log: see `regulator.parts.live.relay`."""
