"""Heads of the ledger, one a day, and time stamps on them. Rows are only ever added.

`body` is canonical JSON: the end of every chain that moved since the head before, and that head's digest. `sha256` is
of exactly these bytes.
"""

from sqlalchemy import Index, Table

from regulator.base.records.tables.metadata import METADATA, moment, text, whole

witness_heads = Table(
    "witness_heads",
    METADATA,
    whole("number", key=True),
    text("day", default=None),
    moment("at_ns"),
    whole("chains"),
    text("sha256", default=None),
    text("body", default=None),
    Index("uq_witness_heads_day", "day", unique=True),
)
"""`day`: YYYY-MM-DD on the site's calendar. `chains`: how many moved."""

witness_stamps = Table(
    "witness_stamps",
    METADATA,
    whole("number", key=True),
    text("authority", key=True),
    moment("stamped_at_ns"),
    text("token_base64", default=None),
)
"""A time-stamp response (RFC 3161, DER) over a head's body. `authority`: its address; `stamped_at_ns`: what it says."""
