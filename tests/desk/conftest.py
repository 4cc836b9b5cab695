"""Every test below runs on SQLite and on PostgreSQL (see tests/fakes/desk_database.py)."""

from tests.fakes.desk_database import (
    clock,
    database,
    desk_key,
    desk_url,
    ledger,
    migrated,
    migrated_file,
    postgresql,
    shared_desk_url,
)

__all__ = [
    "clock",
    "database",
    "desk_key",
    "desk_url",
    "ledger",
    "migrated",
    "migrated_file",
    "postgresql",
    "shared_desk_url",
]
