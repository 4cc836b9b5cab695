"""The ledger: hash-chained, signed entries; one chain a project (or account), never a global one.

Rows are only ever added. `ledger_heads` is the one row a writer locks to add the next entry of its chain.
"""

from sqlalchemy import Index, Table

from regulator.base.records.tables.metadata import METADATA, moment, text, whole

ledger_entries = Table(
    "ledger_entries",
    METADATA,
    text("chain", key=True),
    whole("seq", key=True),
    text("sha256", default=None),
    text("prev", default=None),
    text("kind", default=None),
    text("subject"),
    text("project_code"),
    moment("at_ns"),
    text("user_id"),
    text("body", default=None),
    text("alg", default=None),
    text("key_id", default=None),
    text("signature", default=None),
    Index("ix_ledger_by_subject", "subject", "at_ns"),
    Index("ix_ledger_by_project", "project_code", "at_ns"),
    Index("ix_ledger_by_user", "user_id", "at_ns"),
    Index("ix_ledger_by_kind", "kind", "at_ns"),
    Index("ix_ledger_by_time", "at_ns", "chain", "seq"),
)

ledger_heads = Table("ledger_heads", METADATA, text("chain", key=True), whole("seq"), text("sha256", default=None))
