"""The crane's real-time record out of the history: one a crane and interval, at the time at which it was measured.

    blocks (host, derived, anemometer ...) --slots--> times that are due --latest value at each--> records, oldest first

Theory of operation
- Time is cut into slots of the map's `every_s`. The first poll of a crane's own devices in a slot makes the record; its
  time is the record's. What other devices say is their newest value at that time, unless it is older than the point
  allows or of bad quality: then it is unknown, and not the value before.
- Nothing here changes when a send fails: the same blocks give the same records again. `sent` notes what the platform
  holds, so that a repeated call does not send it twice; `advance` moves on once a whole call is done.
- The alarm bits are those of the box's own alarms at that time. A bit is clear only when the quantity behind it is
  known and some rule of the site judges it; otherwise it is unknown.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from docking.quantities import CRANE_FAULTS, QUANTITIES, RecordKind, ValueKind
from docking.record import DockingRecord, Value
from gateway.model.alarm import Alarm
from gateway.model.reading import Quality
from gateway.ports import ReadingBlock
from gateway.uplinks.docking_records import Driver, device_values, driver_values
from gateway.uplinks.docking_settings import DockedDevice

AlarmsOf = Callable[[str, int, int], Sequence[Alarm]]
"""(asset, from, to excluded; UTC ns) -> the alarms whose condition held at some time of it."""
_SECOND_NS = 1_000_000_000
_WORK = ("run", "climbing")
_NUMBERS = tuple(name for name, each in QUANTITIES[RecordKind.CRANE_REALTIME].items() if each.kind is ValueKind.NUMBER)
_INPUTS = frozenset({*_NUMBERS, *CRANE_FAULTS, "motor", "work_status", "multi_alarm", "driver_no"})


@dataclass(frozen=True, slots=True)
class AlarmBit:
    """Set by any of `rules`; clear only while one of `known_by` is known."""

    rules: frozenset[str]
    known_by: tuple[str, ...]


def _bit(rules: str, *known_by: str) -> AlarmBit:
    return AlarmBit(frozenset(rules.split()), known_by)


ALARM_BITS: Mapping[str, AlarmBit] = {
    "moment_alarm": _bit(
        "crane.moment.alarm crane.moment.sustained crane.moment.violation crane.chart_moment.alarm"
        " crane.chart_moment.violation",
        "moment_pct",
        "chart_moment_pct",
    ),
    "wind_alarm": _bit(
        "crane.wind.no_lifting crane.wind.design_limit crane.wind.lifting_force_6 crane.wind.lifting_stop"
        " crane.wind.lifting_goes_on crane.wind.climbing_stop crane.wind.climbing_goes_on",
        "wind_ms",
    ),
    "height_alarm": _bit("crane.height.alarm", "hook_top_clearance_m"),
    "radius_in_alarm": _bit("crane.radius_in.alarm", "radius_in_margin_m"),
    "radius_out_alarm": _bit("crane.radius_out.alarm", "radius_out_margin_m"),
    "slew_right_alarm": _bit("crane.slew_right.alarm", "slew_right_margin_deg"),
    "slew_left_alarm": _bit("crane.slew_left.alarm", "slew_left_margin_deg"),
    "tilt_alarm": _bit("crane.tilt.limit", "tilt_permille", "tilt_deg"),
    "forbidden_entry_alarm": _bit("crane.zone.forbidden", "forbidden_zone"),
    "no_lift_alarm": _bit("crane.zone.no_lift", "no_lift_zone"),
    "multi_crane_alarm": _bit("crane.distance.alarm crane.prediction.alarm", "multi_alarm"),
}
"""Which of the box's rules stand behind a bit of the platform: product design (PD), by the rules' meaning."""
_WATCHED = _INPUTS | {name for bit in ALARM_BITS.values() for name in bit.known_by}


@dataclass(frozen=True, slots=True)
class CraneNaming:
    """What the platform calls cranes and project; `personal`: the driver's number may be sent."""

    box_id: str
    project_code: str
    devices: Mapping[str, DockedDevice]
    personal: bool = False


@dataclass(frozen=True, slots=True)
class _Known:
    at_ns: int
    value: float
    until_ns: int


@dataclass(slots=True)
class _Crane:
    slot: int = -1
    sent_ns: int = 0
    latest: dict[str, _Known] = field(default_factory=dict)


class CraneStream:
    """All cranes of one platform. `rules` are the site's rule ids, for what a bit can say."""

    def __init__(self, naming: CraneNaming, every_s: float, rules: Callable[[], Collection[str]]) -> None:
        self._naming = naming
        self._every_ns = int(every_s * _SECOND_NS)
        self._rules = rules
        self._cranes = {asset: _Crane() for asset in naming.devices}

    def due(self, blocks: Sequence[ReadingBlock], alarms_of: AlarmsOf) -> list[tuple[str, DockingRecord]]:
        """The records of these blocks that were not sent yet, with their asset, oldest first."""
        found = []
        for asset, crane in self._cranes.items():
            own = [part for part in (_part(block, asset) for block in blocks) if part is not None]
            times = [at_ns for at_ns in self._times(own, crane) if at_ns > crane.sent_ns]
            if times:
                alarms = alarms_of(asset, times[0], times[-1] + 1)
                found += [(asset, self._record(asset, at_ns, own, alarms)) for at_ns in times]
        return sorted(found, key=lambda each: each[1].observed_at_ns)

    def sent(self, asset: str, at_ns: int) -> None:
        """The platform holds this crane's record of that time, or never will."""
        self._cranes[asset].sent_ns = max(self._cranes[asset].sent_ns, at_ns)

    def advance(self, blocks: Sequence[ReadingBlock]) -> None:
        """Note that the records of these blocks are done."""
        for asset, crane in self._cranes.items():
            own = [part for part in (_part(block, asset) for block in blocks) if part is not None]
            for at_ns in self._times(own, crane):
                crane.slot = at_ns // self._every_ns
            for part in own:
                crane.latest |= dict(part.values_at(len(part.times) - 1))

    def _times(self, parts: "Sequence[_Part]", crane: _Crane) -> list[int]:
        """The first poll of the crane's own devices in each slot that has not had one."""
        polls = sorted({int(at_ns) for part in parts if part.own for at_ns in part.times})
        slot, times = crane.slot, []
        for at_ns in polls:
            if at_ns // self._every_ns > slot:
                slot = at_ns // self._every_ns
                times.append(at_ns)
        return times

    def _record(self, asset: str, at_ns: int, parts: "Sequence[_Part]", alarms: Sequence[Alarm]) -> DockingRecord:
        known = self._known_at(asset, at_ns, parts)
        record_id = f"{self._naming.box_id}:{asset}:{at_ns}"
        values: dict[str, Value] = device_values(self._naming.devices[asset], self._naming.project_code)
        values |= {"record_id": record_id, "observed_at": at_ns}
        values |= {name: known[name] for name in _NUMBERS if name in known}
        values |= {name: known[name] != 0 for name in ("motor", *CRANE_FAULTS) if name in known}
        if known.get("work_status") in (0, 1):
            values["work_status"] = _WORK[int(known["work_status"])]
        if self._naming.personal and known.get("driver_no", 0) > 0:
            values |= driver_values(Driver(number=str(int(known["driver_no"]))))
        values |= self._bits(known, [alarm for alarm in alarms if _held(alarm, at_ns)])
        return DockingRecord(RecordKind.CRANE_REALTIME, record_id, at_ns, values)

    def _known_at(self, asset: str, at_ns: int, parts: "Sequence[_Part]") -> dict[str, float]:
        newest = dict(self._cranes[asset].latest)
        for part in parts:
            row = int(np.searchsorted(part.times, at_ns, side="right")) - 1
            if row >= 0:
                for name, known in part.values_at(row):
                    if name not in newest or known.at_ns >= newest[name].at_ns:
                        newest[name] = known
        fresh = {name: known.value for name, known in newest.items() if at_ns <= known.until_ns}
        return {name: value for name, value in fresh.items() if np.isfinite(value)}

    def _bits(self, known: Mapping[str, float], active: Sequence[Alarm]) -> dict[str, Value]:
        rules, raised = set(self._rules()), {alarm.rule.rule_id for alarm in active}
        bits: dict[str, Value] = {}
        for name, bit in ALARM_BITS.items():
            if bit.rules & raised:
                bits[name] = True
            elif bit.rules & rules and any(each in known for each in bit.known_by):
                bits[name] = False
        if known.get("multi_alarm", 0) > 0:
            bits["multi_crane_alarm"] = True
        return bits


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """The columns of one block that are about one crane."""

    block: ReadingBlock
    columns: tuple[int, ...]
    own: bool

    @property
    def times(self) -> "np.ndarray[tuple[int, ...], np.dtype[np.int64]]":
        """When each of the values was observed, UTC in ns."""
        return self.block.observed_at_ns

    def values_at(self, row: int) -> Iterator[tuple[str, _Known]]:
        """What a poll said; NaN for what it could not say."""
        at_ns = int(self.block.observed_at_ns[row])
        for column in self.columns:
            point = self.block.points[column]
            good = self.block.quality[row, column] == Quality.GOOD
            value = float(self.block.value[row, column]) if good else float("nan")
            yield point.quantity, _Known(at_ns, value, at_ns + int(point.stale_after_s * _SECOND_NS))


def _part(block: ReadingBlock, asset: str) -> _Part | None:
    columns = tuple(i for i, point in enumerate(block.points) if point.asset == asset and point.quantity in _WATCHED)
    own = any(block.points[i].quantity in _INPUTS and block.points[i].source != "derived" for i in columns)
    return _Part(block, columns, own) if columns and len(block.observed_at_ns) else None


def _held(alarm: Alarm, at_ns: int) -> bool:
    """Whether the alarm's condition held at that time."""
    return alarm.raised_at_ns <= at_ns and (not alarm.returned_at_ns or alarm.returned_at_ns > at_ns)
