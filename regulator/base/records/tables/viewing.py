"""When the viewing of a picture or clip by a login was last written into the ledger: a clip comes in many ranges and
is one viewing. The viewing itself is in the ledger."""

from sqlalchemy import Table

from regulator.base.records.tables.metadata import METADATA, moment, text

media_views = Table(
    "media_views", METADATA, text("session_id", key=True), text("sha256", key=True), moment("written_at_ns")
)
