"""Reads device tables by name, each once, and checks them with the schema of the driver they are for.

In: a name from the site file. Out: the table's driver and its settings, or faults in the table's own document.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gateway.ports import DriverKind
from gateway.settings.checking import check, check_type, choice, not_a_mapping
from gateway.settings.document import Document, KeyPath
from gateway.settings.library import Library, read_named
from gateway.settings.schema import Name

Table = tuple[str | None, Any]
_NO_TABLE: Table = (None, None)


class TableReader:
    """The device tables of one site. `opened` collects the documents, for their faults."""

    def __init__(self, drivers: Mapping[str, DriverKind], library: Library, opened: dict[Path, Document]) -> None:
        self._drivers = drivers
        self._library = library
        self._opened = opened
        self._tables: dict[str, Table] = {}

    def read(self, asking: Document, path: KeyPath, name: Any) -> Table:
        """The table's driver and the table, each None when it has faults. A missing table is the asking file's fault.

        A name that is no name at all is left to the device's own check.
        """
        if not isinstance(name, str) or check_type(Name, Document(""), (), name) is None:
            return _NO_TABLE
        if name not in self._tables:
            found = read_named(self._library, "devices", name, self._opened)
            if found is None:
                asking.cut_short = True
                choice(asking, (*path, "table"), name, self._library.names("devices"))
                return _NO_TABLE
            self._tables[name] = self._check(*found)
        return self._tables[name]

    def _check(self, source: Path, document: Document) -> Table:
        data = document.data
        if not isinstance(data, dict):
            if not document.faults:
                not_a_mapping(document, (), data)
            return _NO_TABLE
        if isinstance(data.get("model"), str) and data["model"] != source.stem:
            document.add(("model",), "table.model", found=data["model"], expected=source.stem)
        driver = data.get("driver")
        if not isinstance(driver, str) or driver not in self._drivers:
            document.cut_short = True
            if driver is None:
                document.add(("driver",), "key.missing")
            else:
                choice(document, ("driver",), driver, self._drivers)
            return _NO_TABLE
        _check_point_keys(document)
        table = check(self._drivers[driver].table_settings, document, (), data)
        if table is not None and not table.points:
            document.add(("points",), "table.empty")
            return driver, None
        return driver, table


def _check_point_keys(document: Document) -> None:
    points = document.data.get("points")
    first: dict[str, int] = {}
    for i, point in enumerate(points if isinstance(points, list) else []):
        key = point.get("key") if isinstance(point, dict) else None
        path: KeyPath = ("points", i, "key")
        if isinstance(key, str) and key in first:
            document.add(path, "table.key_twice", found=key, first=first[key])
        elif isinstance(key, str):
            first[key] = document.line(path)
