"""A recording through the site's device tables: what the wire's way would have made of the same numbers.

    recorded poll --> drivers.belief of each device --> the poll as its driver would have handed it on

In: the site's links, and polls as a file or a history has them. Out: the same polls; what the table does not believe
is BAD, what its fault bits doubt is SUSPECT. Points that no device delivers (a surveyor's) stay as they are. It is the
tables as they are now that count, for a box's own history too.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from drivers.belief import TableBelief
from gateway.model.quantity import PointTable
from gateway.model.reading import BAD, Readings
from gateway.ports import BoundDevice, BoundLink


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """The points of one layout that one table has: which `columns` of the poll (k,), at which `places` of the table
    (k,). `there` (points of the table,) marks those places."""

    belief: TableBelief
    columns: NDArray[np.intp]
    places: NDArray[np.intp]
    there: NDArray[np.bool_]


class DeviceTables:
    """All device tables of a site, for polls of any layout."""

    def __init__(self, links: Sequence[BoundLink], points: PointTable) -> None:
        devices = [device for link in links for device in link.devices]
        self._place_of = np.zeros(len(points), dtype=np.intp)
        self._device_of = np.full(len(points), -1, dtype=np.intp)
        for number, device in enumerate(devices):
            self._device_of[device.point_index] = number
            self._place_of[device.point_index] = np.arange(len(device.point_index))
        self._sizes = [len(device.point_index) for device in devices]
        self._beliefs = [TableBelief(device.table.points) for device in devices]
        self._parts: dict[int, tuple[NDArray[np.int32], list[_Part]]] = {}
        self._points = points
        self._bits_of = _bits_of(devices)

    def judged(self, readings: Readings) -> Readings:
        """The poll as the devices' drivers would have handed it on."""
        value, quality = readings.value.copy(), readings.quality.copy()
        for part in self._parts_of(readings.point_index):
            whole, qualities = np.full(len(part.there), np.nan), np.full(len(part.there), BAD)
            whole[part.places], qualities[part.places] = value[part.columns], quality[part.columns]
            whole, qualities = part.belief.recorded(whole, qualities, part.there)
            value[part.columns], quality[part.columns] = whole[part.places], qualities[part.places]
        return replace(readings, value=value, quality=quality)

    def without_bits(self, present: Collection[int]) -> dict[str, tuple[str, ...]]:
        """Points of a recording whose fault bits it does not have, with those bits: their faults are not known."""
        lacking = {point: set(bits).difference(present) for point, bits in self._bits_of.items() if point in present}
        name = {index: self._points[index].point_id for index in range(len(self._points))}
        return {name[point]: tuple(sorted(name[bit] for bit in bits)) for point, bits in lacking.items() if bits}

    def _parts_of(self, point_index: NDArray[np.int32]) -> list[_Part]:
        """Layouts are told apart by identity, as drivers hand the same array at every poll."""
        known = self._parts.get(id(point_index))
        if known is None or known[0] is not point_index:
            device_of = self._device_of[point_index]
            parts = [self._part(number, point_index, device_of) for number in np.unique(device_of[device_of >= 0])]
            known = self._parts[id(point_index)] = (point_index, parts)
        return known[1]

    def _part(self, number: int, point_index: NDArray[np.int32], device_of: NDArray[np.intp]) -> _Part:
        columns = np.flatnonzero(device_of == number)
        places = self._place_of[point_index[columns]]
        there = np.zeros(self._sizes[number], dtype=np.bool_)
        there[places] = True
        return _Part(self._beliefs[number], columns, places, there)


def _bits_of(devices: Sequence[BoundDevice]) -> dict[int, tuple[int, ...]]:
    """The fault bits of every point that has some; all as positions in the point table."""
    found = {}
    for device in devices:
        index_of = {point.key: int(i) for point, i in zip(device.table.points, device.point_index, strict=True)}
        for point in device.table.points:
            if point.fault:
                found[index_of[point.key]] = tuple(index_of[key] for key in point.fault)
    return found
