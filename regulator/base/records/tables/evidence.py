"""Evidence packages that were handed over with a case: the bytes as they were, by their digest on the shelf."""

from sqlalchemy import Table

from regulator.base.records.tables.metadata import METADATA, moment, text, whole

handed_packages = Table(
    "handed_packages",
    METADATA,
    text("hazard_id", key=True),
    text("project_code", default=None),
    text("sha256", default=None),
    whole("size_bytes"),
    text("name"),
    moment("made_at_ns"),
)
