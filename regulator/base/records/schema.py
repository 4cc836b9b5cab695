"""Bringing a database to the schema of this version, with Alembic; two replicas that start together do it once."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.util import CommandError
from sqlalchemy import text

from regulator.base.records import tables
from regulator.base.records.engine import DeskDatabase
from regulator.base.records.tables.metadata import METADATA

MIGRATIONS = Path(__file__).parent / "migrations"
LOCK = 7_240_291
"""An advisory lock of PostgreSQL: any number that nobody else uses."""
BEFORE = "0001"
"""The revision that the first migration has swallowed: half of the tables that are there now."""

__all__ = ["METADATA", "prepare", "tables"]


def prepare(database: DeskDatabase) -> None:
    """Migrate to the newest version. Raises ValueError for a schema that a newer version made, or one before 1.2.0."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with database.engine.begin() as db:
        if not database.is_sqlite:
            db.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": LOCK})
        if MigrationContext.configure(db).get_current_revision() == BEFORE:
            raise ValueError(f"a schema of a desk before 1.2.0 ({BEFORE}): start a desk of 1.2.0 on it once, then this")
        config.attributes["connection"] = db
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            raise ValueError(f"a schema of another version: {error}") from None
