"""Which loads and which checks of cameras are proven: what commissioning left behind, and what a start makes of it.

    commissioning --write_arming--> arming.json --read_arming--> Gateway --> UnprovenSink --> intake

In: `commissioning/arming.json` in the data folder. Out: for every asset whose known-load check failed or was not done,
and for every check on request (a camera's danger zone) that was not confirmed on it, the reason; and a sink that marks
the points concerned SUSPECT, so that every rule on them answers UNKNOWN, the history says so too, and nothing on a
screen looks normal. A crane that was never commissioned has no entry: it is listed as such, and judged; a check on
request is not. A file that cannot be read disarms them all: what is not known to be proven is not trusted.
"""

import logging
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, ValidationError

from contract.keyfile import write_durably
from gateway.model.quantity import Point, PointTable
from gateway.model.reading import Quality, Readings
from gateway.ports import ReadingSink

log = logging.getLogger(__name__)
FOLDER = "commissioning"
FILE = "arming.json"
LOAD_KEYS = ("load_t", "moment_pct")
"""The quantities whose alarms a known-load check arms: lifted load and load moment (GB 5144-2006 6.1.1, 6.2.1)."""


class AssetArming(BaseModel):
    """What the last commissioning said of one asset: its load readings, and which checks it confirmed on it.
    `sheet_sha256` names the sheet that proves it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    asset: str
    armed: bool
    reason_zh: str = ""
    reason_en: str = ""
    at_ns: int
    sheet_sha256: str
    checks: tuple[str, ...] = ()


class _ArmingFile(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    version: int = 1
    assets: tuple[AssetArming, ...]


@dataclass(frozen=True, slots=True)
class Unproven:
    """Why an asset's load readings are not trusted."""

    reason_zh: str
    reason_en: str


UNCONFIRMED = Unproven("未经调试确认，尚未启用", "off: commissioning has not confirmed it here")
UNREADABLE = Unproven("调试记录无法读取，需重新调试", "the commissioning record cannot be read; commission again")


@dataclass(frozen=True, slots=True)
class Arming:
    """What the data folder says. `unproven` maps an asset to the reason; `assets` holds everything on record."""

    assets: Mapping[str, AssetArming]
    unproven: Mapping[str, Unproven]

    def reason_of(self, point: Point) -> Unproven | None:
        """Why this point is not trusted; None when it is."""
        if point.on_request:
            entry = self.assets.get(point.asset)
            return None if entry is not None and point.role in entry.checks else UNCONFIRMED
        return self.unproven.get(point.asset) if point.quantity in LOAD_KEYS else None

    def suspects(self, points: PointTable) -> NDArray[np.bool_]:
        """Shape (points,): the ones to mark."""
        marked = [self.reason_of(point) is not None for point in points.points]
        return np.array(marked, dtype=np.bool_)


def read_arming(folder: Path, cranes: Sequence[str]) -> Arming:
    """What is on record in this data folder; without a file, nothing. Says in the log whom it disarms."""
    path = folder / FOLDER / FILE
    try:
        file = _ArmingFile.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return Arming({}, {})
    except (OSError, ValidationError) as error:
        log.error("event=arming_unreadable file=%s reason=%r disarmed=%s", path, str(error)[:200], ",".join(cranes))
        return Arming({}, dict.fromkeys(cranes, UNREADABLE))
    assets = {entry.asset: entry for entry in file.assets}
    unproven = {name: Unproven(entry.reason_zh, entry.reason_en) for name, entry in assets.items() if not entry.armed}
    for name, why in unproven.items():
        log.warning("event=load_alarms_disarmed asset=%s reason=%r", name, why.reason_en)
    return Arming(assets, unproven)


def write_arming(folder: Path, entries: Sequence[AssetArming]) -> None:
    """Replace the record of these assets and keep the others'. One that cannot be read is replaced as a whole."""
    known = read_arming(folder, ())
    merged = dict(known.assets) | {entry.asset: entry for entry in entries}
    file = _ArmingFile(assets=tuple(merged[name] for name in sorted(merged)))
    write_durably(folder / FOLDER / FILE, file.model_dump_json(indent=1).encode())


class UnprovenSink:
    """A `ReadingSink` that lowers GOOD values of unproven points to SUSPECT on their way to `sink`.

    Drivers hand the same `point_index` object at every poll, so what concerns a layout is worked out once.
    """

    def __init__(self, sink: ReadingSink, suspects: NDArray[np.bool_]) -> None:
        self._sink = sink
        self._suspects = suspects
        self._layouts: dict[int, tuple[NDArray[np.int32], NDArray[np.bool_] | None]] = {}

    def offer(self, readings: Readings) -> bool:
        """Queue a poll whose values are marked unproven; False when the queue is full."""
        return self._sink.offer(self._marked(readings))

    async def put(self, readings: Readings) -> Awaitable[None]:
        """Queue a message whose values are marked unproven, waiting for room."""
        return await self._sink.put(self._marked(readings))

    def set_aside(self, device: str, payload: bytes, reason: str) -> None:
        """Handed on as it came: what cannot be read needs no mark."""
        self._sink.set_aside(device, payload, reason)

    def _marked(self, readings: Readings) -> Readings:
        columns = self._columns_of(readings.point_index)
        if columns is None:
            return readings
        lowered = np.where(
            columns & (readings.quality == Quality.GOOD), np.uint8(Quality.SUSPECT), readings.quality
        ).astype(np.uint8)
        return replace(readings, quality=lowered)

    def _columns_of(self, point_index: NDArray[np.int32]) -> NDArray[np.bool_] | None:
        known = self._layouts.get(id(point_index))
        if known is not None and known[0] is point_index:
            return known[1]
        columns = self._suspects[point_index]
        marked = columns if columns.any() else None
        self._layouts[id(point_index)] = (point_index, marked)
        return marked
