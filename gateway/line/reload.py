"""Reading the site file again while the box works: what may change, and how what is known is carried over.

    load (every fault at once) --refused--> the running settings stay, and say that the file differs
            |
            v
    difference(old, new) --needs a restart--> refused the same way
            |
            v
    every part prepares --> drivers of changed links stop --> carry_over (one turn of the event loop) --> they start

In: two `Settings`. Out: what differs, a sink that keeps a running driver on the right points, and tables that go on
where the old ones were. A driver that keeps its connection goes on numbering its points as it did at its start; its
`LinkSink` translates, so that no value ever lands on another point. Knows neither files nor the web face.
"""

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from contract.canonical import Canonical
from gateway.alarms import AlarmTable
from gateway.line.intake import Intake
from gateway.model.quantity import PointTable
from gateway.model.reading import Readings
from gateway.model.rule import FlatLineParameters, GateParameters, ResolvedRule
from gateway.ports import BoundLink, ReadingSink
from gateway.rules.table import RuleTable
from gateway.rules.window import Window
from gateway.settings import Settings

RELOADABLE = frozenset(
    {"file", "assets", "links", "points", "plan", "rules", "rule_packs", "cards", "hazards", "digest", "warnings"}
)
NAMES_IN_RECORD = 200


@dataclass(frozen=True, slots=True)
class Difference:
    """What a reload would change. `needs_restart` names sections of the site file that cannot change in a running box.

    Links are named by id; a changed link is one whose own settings, devices, tables or points differ. Rules are rows,
    named `rule @ subject`.
    """

    needs_restart: tuple[str, ...]
    links_added: tuple[str, ...]
    links_removed: tuple[str, ...]
    links_changed: tuple[str, ...]
    rules_added: tuple[str, ...]
    rules_removed: tuple[str, ...]
    rules_changed: tuple[str, ...]
    points_added: tuple[str, ...]
    points_removed: tuple[str, ...]

    def content(self) -> dict[str, Canonical]:
        """For the chain: names, at most `NAMES_IN_RECORD` of each sort, and how many there are."""
        content: dict[str, Canonical] = {}
        for field in fields(self):
            names: tuple[str, ...] = getattr(self, field.name)
            if field.name != "needs_restart":
                content[field.name] = {"count": len(names), "names": list(names[:NAMES_IN_RECORD])}
        return content


@dataclass(frozen=True, slots=True)
class Change:
    """The settings of one box before and after a reload, and in what they differ."""

    old: Settings
    new: Settings
    found: Difference


def difference(old: Settings, new: Settings) -> Difference:
    """Compare two settings of one box."""
    restart = [
        field.name
        for field in fields(Settings)
        if field.name not in RELOADABLE
        and field.name != "uplinks"
        and getattr(old, field.name) != getattr(new, field.name)
    ]
    if _uplinks(old) != _uplinks(new):
        restart.append("uplinks")
    links = _compared(
        {_link_id(x): _link_content(x) for x in old.links}, {_link_id(x): _link_content(x) for x in new.links}
    )
    rules = _compared(_rules(old.rules), _rules(new.rules))
    points = _compared(dict.fromkeys(old.points.index_of), dict.fromkeys(new.points.index_of))
    return Difference(tuple(sorted(restart)), *links, *rules, points[0], points[1])


class LinkSink:
    """The `ReadingSink` of one link's driver. `retarget` puts it on a new point table; the driver does not notice.

    Drivers hand the same `point_index` object at every poll, and so does this: a translation is made once a layout.
    """

    def __init__(self, points: PointTable, inner: ReadingSink, intake: Intake) -> None:
        self._started_with = points
        self._inner = inner
        self._intake = intake
        self._to: NDArray[np.int32] | None = None
        self._layouts: dict[int, tuple[NDArray[np.int32], NDArray[np.int32]]] = {}

    def retarget(self, points: PointTable, inner: ReadingSink) -> None:
        """From now on the box numbers its points like this. All points of this link's driver are in `points`."""
        moved = moved_to(self._started_with, points)
        same = np.array_equal(moved, np.arange(len(moved)))
        self._to = None if same else moved
        self._inner = inner
        self._layouts = {}

    def offer(self, readings: Readings) -> bool:
        """Queue a poll under today's numbers."""
        return self._inner.offer(self._translated(readings))

    async def put(self, readings: Readings) -> Awaitable[None]:
        """Wait for room first, so that between the translation and the queue nothing can be renumbered."""
        await self._intake.wait_for_room()
        return await self._inner.put(self._translated(readings))

    def set_aside(self, device: str, payload: bytes, reason: str) -> None:
        """Passed on as it is."""
        self._inner.set_aside(device, payload, reason)

    def _translated(self, readings: Readings) -> Readings:
        if self._to is None:
            return readings
        known = self._layouts.get(id(readings.point_index))
        if known is None or known[0] is not readings.point_index:
            known = (readings.point_index, self._to[readings.point_index])
            self._layouts[id(readings.point_index)] = known
        return replace(readings, point_index=known[1])


def moved_to(old: PointTable, new: PointTable) -> NDArray[np.int32]:
    """Shape (old points,): where each old point is in `new`, -1 where it is gone."""
    return np.array([new.index_of.get(point.point_id, -1) for point in old.points], dtype=np.int32)


def carry_alarms(old: AlarmTable, rules: RuleTable, alarms: AlarmTable) -> None:
    """The open episodes go on in `alarms`; one whose rule is gone stays on the list as an orphan. Rows whose alarm is
    active are held, so that a deadband goes on. What is out of service stays so."""
    alarms.go_on_from(old)
    known = [*old.open_alarms(), *old.withheld_alarms()]
    rules.hold(alarms.restore([replace(alarm, unknown=False) for alarm in known]))


def carry_truths(old: RuleTable, old_alarms: AlarmTable, rules: RuleTable, alarms: AlarmTable) -> None:
    """What an unchanged rule said last is still what it says: a device that speaks once a minute is not unknown until
    then. A rule that changed says nothing before the next sample."""
    was = _rules(old.rules)
    for (name, rule), (row, key) in zip(_rules(rules.rules).items(), enumerate(_keys(rules)), strict=True):
        if was.get(name) == rule:
            before = old.row_of[key]
            alarms.truth[row] = old_alarms.truth[before]
            alarms.measured[row] = old_alarms.measured[before]


def carry_delays(window: Window, rules: RuleTable, alarms: AlarmTable, warm_ns: int) -> None:
    """On-delays go on: the polls that came after what was judged from the history (`warm_ns`) are judged again."""
    devices = {point.device for point in window.points.points}
    recent = [poll for device in devices for poll in window.recent(device) if poll.observed_at_ns > warm_ns]
    for readings in sorted(recent, key=lambda readings: readings.observed_at_ns):
        alarms.warm(rules.on_readings(readings))


def _keys(table: RuleTable) -> list[tuple[str, str]]:
    return [(rule.info.rule_id, rule.subject) for rule in table.rules]


def _compared(
    old: dict[str, object], new: dict[str, object]
) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """Names that were added, that were removed, and whose content changed."""
    added = tuple(name for name in new if name not in old)
    removed = tuple(name for name in old if name not in new)
    changed = tuple(name for name in new if name in old and old[name] != new[name])
    return added, removed, changed


def _rules(rules: Sequence[ResolvedRule]) -> dict[str, object]:
    """By name, as text (a NaN is the same as a NaN here), without where it is written and how points are numbered."""
    return {f"{rule.info.rule_id} @ {rule.subject}": repr(_unnumbered(rule)) for rule in rules}


def _unnumbered(rule: ResolvedRule) -> ResolvedRule:
    parameters = rule.parameters
    if isinstance(parameters, FlatLineParameters):
        parameters = replace(parameters, condition_point=min(parameters.condition_point, 0))
    elif isinstance(parameters, GateParameters):
        conditions = tuple(replace(each, point_index=0) for each in parameters.conditions)
        parameters = replace(parameters, conditions=conditions)
    return replace(rule, origin="", point_index=0, device_points=(), parameters=parameters)


def _link_id(link: BoundLink) -> str:
    return str(link.settings.id)


def _link_content(link: BoundLink) -> object:
    return link.settings, [(device.settings, device.table, device.points) for device in link.devices]


def _uplinks(settings: Settings) -> list[object]:
    return [(uplink.name, uplink.kind.name, uplink.settings) for uplink in settings.uplinks]
