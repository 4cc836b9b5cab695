"""The points that a surveyor measures, and their readings as polls of virtual devices.

In: the settings in force. Out: each point by its name on the drawing; `Readings` of one value. The array that says
which point it is stays the same object as long as the settings do: the history tells devices' layouts apart by it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gateway.model.quantity import PointTable
from gateway.model.reading import Quality, RawBlock, Readings
from gateway.parts.pit.hand_entry import KnownPoint
from gateway.parts.pit.model.description import PitDescription, PitPoint
from gateway.parts.pit.model.outputs import point_device
from gateway.parts.pit.settings.plan import described_pits, hand_device
from gateway.settings import Settings
from gateway.store.asset_records import HandReading


@dataclass(frozen=True, slots=True)
class HandPoint:
    """A point that is measured by hand. `point_id` is that of its readings; `model` is the device of what derives."""

    asset: str
    point: PitPoint
    point_id: str
    model: str

    @property
    def device(self) -> str:
        """The virtual device that its readings come from."""
        return hand_device(self.asset, self.point.name)

    @property
    def known(self) -> KnownPoint:
        """As the reader of tables wants it."""
        return KnownPoint(self.point_id, self.point.facts.unit)


def pit_of(settings: Settings, asset: str) -> PitDescription | None:
    """The pit of this asset; None when it is no pit, or one that nobody has described."""
    return next((pit for pit in described_pits(settings) if pit.asset == asset), None)


def hand_points(pit: PitDescription) -> Mapping[str, HandPoint]:
    """The pit's points that are measured by hand, by their ids."""
    found = {}
    for point in pit.points:
        device = hand_device(pit.asset, point.name)
        point_id = device.replace(":", ".", 1)
        if point.source.inputs == (point_id,):
            found[point_id] = HandPoint(pit.asset, point, point_id, point_device(pit.asset, point))
    return found


class HandPolls:
    """Makes polls of hand readings under the point numbers in force."""

    def __init__(self, settings: Callable[[], Settings]) -> None:
        self._settings = settings
        self._table: PointTable | None = None
        self._index: dict[str, NDArray[np.int32]] = {}

    def poll(self, reading: HandReading, received_at_ns: int) -> Readings | None:
        """One reading as a poll of its device; None when the settings know the point no more."""
        index = self._index_of(reading.point_id)
        if index is None:
            return None
        table = self._settings().points
        return Readings(
            device=table[int(index[0])].device,
            point_index=index,
            value=np.array([reading.value], dtype=np.float64),
            quality=np.array([Quality.GOOD], dtype=np.uint8),
            observed_at_ns=reading.observed_at_ns,
            received_at_ns=received_at_ns,
            raw=RawBlock(),
        )

    def _index_of(self, point_id: str) -> NDArray[np.int32] | None:
        table = self._settings().points
        if table is not self._table:
            self._table, self._index = table, {}
        if point_id not in table.index_of:
            return None
        if point_id not in self._index:
            self._index[point_id] = np.array([table.index_of[point_id]], dtype=np.int32)
        return self._index[point_id]
