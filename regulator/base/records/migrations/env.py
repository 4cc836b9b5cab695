"""Alembic's environment: runs inside the transaction that `regulator.base.records.schema` opened."""

from alembic import context

from regulator.base.records import tables
from regulator.base.records.tables.metadata import METADATA

assert tables  # importing them fills METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA, render_as_batch=True)
context.run_migrations()
