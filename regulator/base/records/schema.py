"""Bringing a database to the schema of this version, with Alembic; two replicas that start together do it once."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import text

from regulator.base.records import tables
from regulator.base.records.engine import DeskDatabase
from regulator.base.records.tables.metadata import METADATA

MIGRATIONS = Path(__file__).parent / "migrations"
LOCK = 7_240_291
"""An advisory lock of PostgreSQL: any number that nobody else uses."""

__all__ = ["METADATA", "prepare", "tables"]


def prepare(database: DeskDatabase) -> None:
    """Migrate to the newest version. Raises alembic.util.CommandError for a schema that a newer version made."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with database.engine.begin() as db:
        if not database.is_sqlite:
            db.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": LOCK})
        config.attributes["connection"] = db
        command.upgrade(config, "head")
