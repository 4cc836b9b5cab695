"""Lists that were handed in as files: every line with what is wrong with it, and what became of it."""

from sqlalchemy import Index, Table

from regulator.base.records.tables.metadata import METADATA, moment, text, whole

imports = Table(
    "imports",
    METADATA,
    text("import_id", key=True),
    text("kind", default=None),
    text("file_name", default=None),
    text("sha256", default=None),
    text("state", default="preview"),
    text("user_id", default=None),
    moment("made_at_ns"),
    moment("committed_at_ns"),
    whole("good"),
    whole("bad"),
    Index("ix_imports_by_time", "made_at_ns"),
)
"""`kind`: projects, devices, set. `state`: preview, committed."""

import_lines = Table(
    "import_lines",
    METADATA,
    text("import_id", key=True),
    whole("number", key=True),
    text("sheet"),
    whole("row"),
    text("state", default=None),
    text("cells", default="[]"),
    text("faults", default="[]"),
)
"""`state`: good, bad, taken, refused. `cells`: JSON of the line's values; `faults`: JSON of what was wrong where."""
