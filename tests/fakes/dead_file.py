"""A store's file that takes nothing until it is told otherwise.

It is read-only for its writer, and away for whoever opens it anew."""

from pathlib import Path
from typing import Any


def take_nothing(store: Any) -> None:
    """`store` has a `path` and a writer."""
    store._writer._connection.execute("PRAGMA query_only=1")
    store.path.rename(_away(store.path))


def take_again(store: Any) -> None:
    """The file is where it was; the writer opens it anew, or goes on if it has not noticed."""
    _away(store.path).rename(store.path)
    if not store._writer.stale:
        store._writer._connection.execute("PRAGMA query_only=0")


def _away(path: Path) -> Path:
    return path.with_name(f"{path.name}.away")
