"""The desk's second half: what the tables say and the first schema lacks."""

import sqlalchemy as sa
from alembic import op

from regulator.records import tables
from regulator.records.metadata import METADATA

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    assert tables
    db = op.get_bind()
    seen = sa.inspect(db)
    known = set(seen.get_table_names())
    METADATA.create_all(db)
    for table in METADATA.sorted_tables:
        if table.name not in known:
            continue
        columns = {column["name"] for column in seen.get_columns(table.name)}
        for column in table.columns:
            if column.name not in columns:
                op.add_column(
                    table.name,
                    sa.Column(column.name, column.type, nullable=False, server_default=column.server_default.arg),
                )
        indexes = {index["name"] for index in seen.get_indexes(table.name)}
        for index in table.indexes:
            if index.name not in indexes:
                index.create(db)
