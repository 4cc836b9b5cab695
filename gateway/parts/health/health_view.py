"""S6, how the box itself is doing: links, uplinks, disk, clock, quality of the points, parts, records.

In: the view over the running parts, and what has to be asked of files. Out: a `HealthReport`, what needs somebody
first. What is read of the running parts is read in the event loop; files are asked in a thread, and not more often than
once in half a minute. What cannot be known is None.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from gateway.evidence.evidence import RecordKind
from gateway.figures.disk import DiskOutlook, disk_outlook
from gateway.figures.quality import MINUTE_NS, MinuteShares
from gateway.figures.spans import Span
from gateway.line.clock_state import ClockState, clock_state
from gateway.model.errors import StoreError
from gateway.model.quantity import Point
from gateway.ports import LinkState
from gateway.store.alarm_reader import AlarmReader
from gateway.store.disk_reader import disk_facts
from gateway.store.quality_reader import QualityReader
from gateway.web.read_model import BoxView, Row

HOUR_NS = 3_600_000_000_000
DAY_NS = 24 * HOUR_NS
ASKED_FOR_NS = 30_000_000_000
ROLLED_UP_AFTER_NS = 10_000_000_000
DISK_LOW_DAYS = 30.0
"""Fewer days than this are worth a line on top (PD)."""
POOR_SHARE = 0.95
"""A point that was good for less of the last hour is worth a line on top (PD; screens' availability proposal)."""


@dataclass(frozen=True, slots=True)
class HealthFiles:
    """Where the answers lie: the data folder, the two databases' readers, the history's bound in bytes and days."""

    folder: Path
    alarms: AlarmReader
    quality: QualityReader
    history_bound: Callable[[], tuple[int, int]]


@dataclass(frozen=True, slots=True)
class LinkLine:
    """A device. `heard_at_ns` is when it was last usefully heard (0: not since the start)."""

    row: Row
    asset: str
    heard_at_ns: int

    @property
    def down(self) -> bool:
        """Whether this link needs somebody to look at it."""
        return bool(self.row["state"] != LinkState.UP)


@dataclass(frozen=True, slots=True)
class UplinkLine:
    """A receiver: `waiting` messages, the oldest made at `oldest_ns` (0: none), down since `down_since_ns` (0: up)."""

    row: Row
    waiting: int
    oldest_ns: int
    down_since_ns: int


@dataclass(frozen=True, slots=True)
class QualityLine:
    """A point's last hour and last day."""

    point: Point
    hour: MinuteShares
    day: MinuteShares

    @property
    def poor(self) -> bool:
        """Whether the last hour is not good enough."""
        share = self.hour.good_share
        return share is None or share < POOR_SHARE


@dataclass(frozen=True, slots=True)
class Asked:
    """What files and the kernel said at `at_ns`. `disk` is None where it could not be measured."""

    at_ns: int
    disk: DiskOutlook | None
    clock: ClockState
    clock_jumps_a_day: int
    quality: tuple[QualityLine, ...]
    waiting: dict[str, tuple[int, int]]


@dataclass(frozen=True, slots=True)
class HealthReport:
    """Everything on the page. `health` is the view's row; `kept_days` is what the history is meant to keep."""

    at_ns: int
    started_at_ns: int
    health: Row
    reasons: tuple[str, ...]
    links: tuple[LinkLine, ...]
    uplinks: tuple[UplinkLine, ...]
    asked: Asked
    kept_days: int
    folder: str
    store_failing_since_ns: int

    @property
    def poor(self) -> tuple[QualityLine, ...]:
        """Points whose last hour is not good enough, the worst first."""
        return tuple(line for line in self.asked.quality if line.poor)

    @property
    def links_down(self) -> tuple[LinkLine, ...]:
        """The devices that are not heard at present."""
        return tuple(line for line in self.links if line.down)

    @property
    def ports_telling(self) -> tuple[LinkLine, ...]:
        """Ports on which devices call that are open, and have something to tell: who called that nobody knows."""
        return tuple(line for line in self.links if not line.down and not line.asset and line.row["last_error"])

    @property
    def parts_down(self) -> list[Row]:
        """Parts of the program that do not run."""
        return [part for part in self.health["parts"] if not part["running"]]

    @property
    def unarmed(self) -> list[Row]:
        """Cranes whose load alarms are not armed."""
        return [row for row in self.health["commissioning"] if not row["load_alarms_armed"]]

    @property
    def disk_low(self) -> bool:
        """Whether the disk lasts for less than a month."""
        disk = self.asked.disk
        return disk is not None and disk.days_left is not None and disk.days_left < DISK_LOW_DAYS


class HealthView:
    """Makes reports. `started_at_ns` is when the box was built."""

    def __init__(self, view: BoxView, files: HealthFiles, clock_asked: Callable[[], ClockState] = clock_state) -> None:
        self._view = view
        self._files = files
        self._clock_asked = clock_asked
        self._started_at_ns = view.parts.clock.now_ns()
        self._asked: Asked | None = None
        self._turn = asyncio.Lock()

    async def report(self) -> HealthReport:
        """As it stands now; what files say is up to half a minute old."""
        parts, health = self._view.parts, self._view.health()
        asked = await self._ask()
        return HealthReport(
            at_ns=parts.clock.now_ns(),
            started_at_ns=self._started_at_ns,
            health=health,
            reasons=tuple(self._view.ready()),
            links=self._links(health["links"]),
            uplinks=self._uplinks(health["uplinks"], asked),
            asked=asked,
            kept_days=self._files.history_bound()[1],
            folder=str(self._files.folder),
            store_failing_since_ns=parts.recorder.failing_since_ns,
        )

    async def _ask(self) -> Asked:
        async with self._turn:
            now_ns = self._view.parts.clock.now_ns()
            asked = self._asked
            if asked is None or not 0 <= now_ns - asked.at_ns < ASKED_FOR_NS:
                points = self._view.parts.points.points
                asked = self._asked = await asyncio.to_thread(self._ask_files, points, now_ns)
            return asked

    def _ask_files(self, points: Sequence[Point], now_ns: int) -> Asked:
        """In a thread."""
        files = self._files
        jumps = files.alarms.records([RecordKind.CLOCK_JUMP], now_ns - DAY_NS, now_ns + 1)
        return Asked(
            at_ns=now_ns,
            disk=_disk(files, now_ns),
            clock=self._clock_asked(),
            clock_jumps_a_day=len(jumps),
            quality=_quality(files.quality, points, now_ns),
            waiting=files.alarms.waiting(),
        )

    def _links(self, rows: Sequence[Row]) -> tuple[LinkLine, ...]:
        """What is down first."""
        parts = self._view.parts
        lines = []
        for row in rows:
            columns = list(parts.points.of_device(row["device"]))
            heard_ns = max((int(parts.window.observed_at_ns[i]) for i in columns), default=0)
            lines.append(LinkLine(row, parts.points[columns[0]].asset if columns else "", heard_ns))
        return tuple(sorted(lines, key=lambda line: (not line.down, line.row["device"])))

    def _uplinks(self, rows: Sequence[Row], asked: Asked) -> tuple[UplinkLine, ...]:
        since = {delivery.name: delivery.down_since_ns for delivery in self._view.parts.deliveries}
        lines = [UplinkLine(row, *asked.waiting.get(row["name"], (0, 0)), since.get(row["name"], 0)) for row in rows]
        return tuple(sorted(lines, key=lambda line: (not line.row["down"], line.row["name"])))


def _disk(files: HealthFiles, now_ns: int) -> DiskOutlook | None:
    try:
        return disk_outlook(disk_facts(files.folder, files.history_bound()[0], now_ns))
    except (sqlite3.Error, OSError):
        return None


def _quality(reader: QualityReader, points: Sequence[Point], now_ns: int) -> tuple[QualityLine, ...]:
    """The worst first. What a model derives has no reading of its own and is left out."""
    read = [point for point in points if ":" not in point.device]
    until_ns = (now_ns - ROLLED_UP_AFTER_NS) // MINUTE_NS * MINUTE_NS
    windows = [Span(until_ns - length, until_ns) for length in (HOUR_NS, DAY_NS)]
    try:
        hour, day = reader.shares(read, windows)
    except (sqlite3.Error, StoreError):
        return ()
    lines = [QualityLine(point, hour[point.point_id], day[point.point_id]) for point in read]
    return tuple(sorted(lines, key=lambda line: (line.hour.good, line.day.good, line.point.point_id)))
