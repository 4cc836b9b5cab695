"""Binds links, devices, tables and points together, and says every reference that leads nowhere.

In: the site's raw links and devices, what the drivers bring, the library of device tables. Out: `BoundLink`s over one
`PointTable`. Knows nothing of any protocol: a driver's schema is only asked to check its part.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, cast

import numpy as np

from gateway.model.quantity import Point, PointTable
from gateway.ports import BoundDevice, BoundLink, DriverKind
from gateway.settings.checking import check, check_type, choice
from gateway.settings.document import Document, KeyPath
from gateway.settings.schema import Name
from gateway.settings.site import Raw, SiteParts, check_unique
from gateway.settings.tables import TableReader
from gateway.settings.wording import both_words


class TablePointSettings(Protocol):
    """What every driver's table says of a point."""

    key: str
    item: str
    unit: str
    title_zh: str
    title_en: str
    min: float
    max: float
    stale_after_s: float
    deadband: float
    on_request: bool


@dataclass(frozen=True, slots=True, eq=False)
class Device:
    """A device whose settings and table are both valid; `path` is where the site file has it."""

    path: KeyPath
    device_id: str
    link_id: str
    asset: str
    settings: Any
    table: Any


@dataclass(frozen=True, slots=True, eq=False)
class Field:
    """The field side of the site: what is valid of it. `asked` are the devices that speak only when they are asked."""

    links: tuple[BoundLink, ...]
    points: PointTable
    devices: tuple[Device, ...]
    asset_of: Mapping[str, str]
    asked: frozenset[str] = frozenset()


class Binder:
    """One site's links and devices with the drivers' schemas; notes faults in the documents it was given."""

    def __init__(
        self,
        document: Document,
        site: SiteParts,
        drivers: Mapping[str, DriverKind],
        tables: TableReader,
    ) -> None:
        self._document = document
        self._site = site
        self._drivers = drivers
        self._tables = tables
        self._driver_of: dict[str, str | None] = {}

    def bind(self) -> Field:
        """Check everything, then bind what is valid."""
        check_unique(self._document, self._site.links, "id")
        check_unique(self._document, self._site.devices, "id")
        links = [link for path, raw in self._site.links if (link := self._link(path, raw)) is not None]
        devices = [device for path, raw in self._site.devices if (device := self._device(path, raw)) is not None]
        points = self._points(devices)
        self._warn_idle()
        table = PointTable(tuple(points.values()))
        bound = tuple(BoundLink(link, _devices_of(link.id, devices, table)) for link in links)
        for link in bound:
            self._remark(link, devices)
        asked = frozenset(device.device_id for device in devices if self._is_asked(device))
        return Field(bound, table, tuple(devices), {device.device_id: device.asset for device in devices}, asked)

    def _is_asked(self, device: Device) -> bool:
        driver = self._driver_of.get(device.link_id)
        return driver is not None and self._drivers[driver].asks

    def _link(self, path: KeyPath, raw: Raw) -> Any:
        driver = raw.get("driver")
        kind = self._drivers.get(driver) if isinstance(driver, str) else None
        link_id = raw.get("id")
        if isinstance(link_id, str):
            self._driver_of.setdefault(link_id, kind.name if kind else None)
        if kind is not None:
            return check(kind.link_settings, self._document, path, raw)
        self._document.cut_short = True
        if driver is None:
            self._document.add((*path, "driver"), "key.missing")
        else:
            choice(self._document, (*path, "driver"), driver, self._drivers)
        return None

    def _device(self, path: KeyPath, raw: Raw) -> Device | None:
        link_id, table_name = raw.get("link"), raw.get("table")
        table_driver, table = self._tables.read(self._document, path, table_name)
        driver = self._driver_of_link(path, link_id) or table_driver
        self._check_asset(path, raw.get("asset"))
        if table_driver is not None and driver != table_driver and not self._shares_tables(driver, table_driver):
            words = {"table": table_name, "found": table_driver, "expected": driver, "link": link_id}
            self._document.add((*path, "table"), "table.driver", **words)
            self._document.cut_short = True
            table = None
        if driver is None:
            self._document.cut_short = True
            self._check_names(path, raw)
            return None
        settings = check(self._drivers[driver].device_settings, self._document, path, raw)
        if settings is None or table is None:
            return None
        return Device(path, settings.id, settings.link, settings.asset, settings, table.for_device(settings))

    def _shares_tables(self, driver: str | None, table_driver: str) -> bool:
        return driver is not None and table_driver in self._drivers[driver].tables_of

    def _driver_of_link(self, path: KeyPath, link_id: Any) -> str | None:
        """The driver of the device's link; None when it is unknown, which is noted when the link is not there."""
        if not isinstance(link_id, str):
            return None
        if link_id not in self._driver_of:
            choice(self._document, (*path, "link"), link_id, self._driver_of)
        return self._driver_of.get(link_id)

    def _check_asset(self, path: KeyPath, asset: Any) -> None:
        if isinstance(asset, str) and asset not in self._site.asset_kinds:
            choice(self._document, (*path, "asset"), asset, self._site.asset_kinds)

    def _check_names(self, path: KeyPath, raw: Raw) -> None:
        """Without a driver nobody knows the other keys; the four that every device has can be checked."""
        for key in ("id", "link", "asset", "table"):
            if key in raw:
                check_type(Name, self._document, (*path, key), raw[key])
            else:
                self._document.add((*path, key), "key.missing")

    def _points(self, devices: list[Device]) -> dict[str, Point]:
        """All points by id, in the order of the devices; a point that two devices deliver is a fault."""
        points: dict[str, Point] = {}
        for device in devices:
            for key, point in _points_of(device):
                if key in points:
                    words = {"point": key, "other": points[key].device}
                    self._document.add(device.path, "point.duplicate", **words)
                else:
                    points[key] = point
        return points

    def _remark(self, link: BoundLink, devices: list[Device]) -> None:
        """What the driver says of the link and its devices together."""
        link_path = next(path for path, raw in self._site.links if raw.get("id") == link.settings.id)
        path_of = {device.device_id: device.path for device in devices} | {"": link_path}
        for remark in self._drivers[link.settings.driver].check(link):
            note = self._document.warn if remark.warning else self._document.add
            found = both_words(remark.found_en, remark.found_zh)
            expected = both_words(remark.expected_en, remark.expected_zh)
            note((*path_of[remark.device], *remark.path), "driver.remark", found=found, expected=expected)

    def _warn_idle(self) -> None:
        for name, key in (("link", "links"), ("asset", "assets")):
            used = {str(raw.get(name)) for _, raw in self._site.devices} | self._site.by_hand
            entries = self._document.data.get(key, []) if isinstance(self._document.data, dict) else []
            for i, raw in enumerate(entries if isinstance(entries, list) else []):
                if isinstance(raw, dict) and isinstance(raw.get("id"), str) and raw["id"] not in used:
                    self._document.warn((key, i, "id"), f"warn.{name}_idle", found=raw["id"])


def _points_of(device: Device) -> list[tuple[str, Point]]:
    settings = cast("tuple[TablePointSettings, ...]", device.table.points)
    prefix: str = device.settings.prefix
    points = [
        Point(
            point_id=f"{device.asset}.{prefix}{each.key}",
            asset=device.asset,
            quantity=f"{prefix}{each.key}",
            unit=each.unit,
            device=device.device_id,
            title_zh=each.title_zh,
            title_en=each.title_en,
            minimum=each.min,
            maximum=each.max,
            stale_after_s=each.stale_after_s,
            source=device.table.source,
            deadband=each.deadband,
            item=each.item or (each.key if prefix else ""),
            on_request=each.on_request,
        )
        for each in settings
    ]
    return [(point.point_id, point) for point in points]


def _devices_of(link_id: str, devices: list[Device], table: PointTable) -> tuple[BoundDevice, ...]:
    bound: list[BoundDevice] = []
    for device in devices:
        if device.link_id == link_id:
            index = [table.index_of[point_id] for point_id, _ in _points_of(device)]
            points = tuple(table[i] for i in index)
            bound.append(BoundDevice(device.settings, device.table, points, np.array(index, dtype=np.int32)))
    return tuple(bound)
