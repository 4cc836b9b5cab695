"""Alembic's environment: runs inside the transaction that `regulator.records.schema` opened."""

from alembic import context

from regulator.records import tables
from regulator.records.metadata import METADATA

assert tables  # importing them fills METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA, render_as_batch=True)
context.run_migrations()
