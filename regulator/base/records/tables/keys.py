"""The desk's signing keys, one after the other: what was signed with an older one still holds.

Rows are only added; a time that has come is never changed. The private halves are in files and nowhere else.
"""

from sqlalchemy import Table

from regulator.base.records.tables.metadata import METADATA, moment, text

desk_keys = Table(
    "desk_keys",
    METADATA,
    text("key_id", key=True),
    text("alg", default=None),
    text("public_text", default=None),
    moment("announced_at_ns"),
    moment("used_from_ns"),
    moment("retired_at_ns"),
)
"""The one in use: `used_from_ns` has come, `retired_at_ns` has not."""

desk_key_tellings = Table(
    "desk_key_tellings",
    METADATA,
    text("key_id", key=True),
    text("box_id", key=True),
    text("message_id", default=None),
    moment("told_at_ns"),
)
"""Which box was told of a next key, by which message of its mailbox."""
