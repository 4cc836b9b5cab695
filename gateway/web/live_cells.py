"""Live cells of the first screen, once a second: values of the bars, directions of jibs, the top alarm.

    cell id                 {"t": text, "f": share of the bar, "s": ok | P3 | P2 | P1 | unknown, "a": age s}
    crane-1.moment_pct      a bar of one point
    crane-1.q0              a point that an open alarm is about
    pit-1/moved             a bar of the worst of many points; which one that is: pit-1/moved/who
    crane-1/jib             also "b": degrees to turn the jib, "r": trolley, "x", "y": the axis, drawing units

In: the view over the box. Out: the overview's parts for the templates, and cells for the feed, made from the same
figures, so that a page that was just made and one that was fed for an hour say the same. What is derived from the
settings in force is looked up once, and anew after a reload. Knows no HTML and no connection.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import isnan
from typing import Final

import numpy as np

from gateway.line.clock_state import ClockState, clock_state
from gateway.line.delivery import Delivery
from gateway.model.reading import Quality
from gateway.model.verdict import Truth
from gateway.web.bullet_bars import (
    BarGroup,
    BarInputs,
    BarKind,
    BarPlan,
    BarState,
    CraneEnds,
    Measured,
    ReadState,
    plan_bars,
    read_bar,
)
from gateway.web.overview import (
    MOST_ROWS,
    AboutData,
    AlarmList,
    AssetIndex,
    AssetStanding,
    TopState,
    Trouble,
    Uplink,
    count_waiting,
    list_alarms,
    stand,
)
from gateway.web.read_model import BoxParts, BoxView, Row
from gateway.web.site_plan import Drawing, DrawnCrane, JibPose, jib_pose
from screens.formats import number, unit_sign

NOWHERE: Final = float("nan")
MOST_ALARM_CELLS: Final = 100
WALL_ROWS: Final = 8
WALL_GROUPS_A_ROW: Final = 7
FEW_GROUPS: Final = 6


@dataclass(frozen=True, slots=True)
class ShownBar:
    """A bar as the templates draw it. `who` is the title of the worst point, empty where the bar has one point."""

    plan: BarPlan
    state: BarState
    text: str
    unit: str
    who: str


@dataclass(frozen=True, slots=True)
class ShownJib:
    """A crane's pose as last heard, whether that is still known, and how old it is (s, NaN: never heard)."""

    crane: DrawnCrane
    pose: JibPose
    known: bool
    age_s: float


class OverviewBoard:
    """Answers for the first screen. Holds what follows from the settings in force, and where each crane was last heard
    to be: a crane that falls silent is drawn there, dashed."""

    def __init__(self, view: BoxView, clock_asked: Callable[[], ClockState] = clock_state) -> None:
        self._view = view
        self._clock_asked = clock_asked
        self._of: BoxParts | None = None
        self._set_up()

    def top(self) -> TopState:
        """The bar at the top."""
        self._set_up()
        parts = self._view.parts
        alarms = self._view.shown_alarms()
        report = parts.alarms.performance(parts.clock.now_ns())
        queued = parts.alerts.pending_counts()
        return TopState(
            waiting=count_waiting(alarms),
            raised=report.raised_in_flood_window,
            flood_line=parts.alarms.bounds.flood_alarms,
            flood=report.flood,
            shelved=sum(alarm.shelved for alarm in alarms),
            unjudged=self.unjudged(),
            uplinks=tuple(_uplink(each, queued) for each in parts.deliveries),
            troubles=tuple(_troubles(parts)),
            clock=self._clock_asked().sync,
        )

    def alarms(self, most: int = MOST_ROWS) -> AlarmList:
        """The list of alarms, at most so many rows."""
        self._set_up()
        return list_alarms(self._view.shown_alarms(), self.about_data, most)

    @property
    def wall_rows(self) -> int:
        """How many alarms a wall has room for: its bars take more rows on a site with many assets."""
        self._set_up()
        rows = -(-len(self._groups) // WALL_GROUPS_A_ROW)
        room = WALL_ROWS if len(self._groups) <= FEW_GROUPS else max(2, WALL_ROWS - 2 * (rows - 2))
        return max(1, room - len(_troubles(self._view.parts)))

    @property
    def few(self) -> bool:
        """Whether there is room for all bars of every asset."""
        self._set_up()
        return len(self._groups) <= FEW_GROUPS

    def unjudged(self) -> int:
        """How many rules have no verdict now."""
        return int(np.count_nonzero(self._view.parts.alarms.truth == Truth.UNKNOWN))

    def standings(self) -> dict[str, AssetStanding]:
        """How every asset stands, by its id, in the site's order."""
        self._set_up()
        now = self._measured()
        alarms = [alarm for alarm in self._view.shown_alarms() if not self.about_data.holds(alarm)]
        unjudged = self._index.unjudged(self._view.parts.alarms.truth)
        found = stand(self._index, alarms, unjudged, self._index.silent_s(now.unknown, now.age_s))
        return {each.asset: each for each in found}

    @property
    def drawing(self) -> Drawing:
        """The site plan."""
        return self._view.parts.drawing

    def jibs(self) -> list[ShownJib]:
        """Where each crane of the plan points now."""
        self._set_up()
        now = self._measured()
        return [self._jib(crane, now) for crane in self._view.parts.drawing.cranes]

    def bars(self) -> list[tuple[str, list[ShownBar]]]:
        """The bars of each asset, in the site's order."""
        self._set_up()
        now = self._measured()
        return [(group.asset, [self._bar(plan, now) for plan in group.bars]) for group in self._groups]

    def cells(self) -> Mapping[str, Row]:
        """Everything that moves, for the feed's live picture."""
        self._set_up()
        now = self._measured()
        cells: dict[str, Row] = {}
        for group in self._groups:
            for plan in group.bars:
                bar = self._bar(plan, now)
                cells[plan.cell] = _bar_cell(bar)
                if plan.kind is BarKind.WORST:
                    cells[f"{plan.cell}/who"] = {"t": bar.who, "s": "ok"}
        for crane in self._view.parts.drawing.cranes:
            cells[f"{crane.asset}/jib"] = _jib_cell(self._jib(crane, now))
        return self._alarm_cells(now) | cells

    def _alarm_cells(self, now: Measured) -> dict[str, Row]:
        """What the points of open alarms say now, for the page of an alarm."""
        points = self._view.parts.points
        subjects = [alarm.subject for alarm in self._view.parts.alarms.open_alarms()[:MOST_ALARM_CELLS]]
        found = {subject: points.index_of[subject] for subject in subjects if subject in points.index_of}
        return {
            subject: {"t": "", "s": "unknown", "a": _age(float(now.age_s[i]))}
            if now.unknown[i]
            else {"t": number(float(now.value[i]), points[i].unit), "s": "ok", "a": _age(float(now.age_s[i]))}
            for subject, i in found.items()
        }

    def name(self, asset: str) -> tuple[str, str]:
        """An asset in Chinese and English; its id where it is gone from the settings."""
        return self._titles.get(asset, (asset, asset))

    def _set_up(self) -> None:
        """Look up what follows from the settings, when they are others than before."""
        parts = self._view.parts
        if parts is self._of:
            return
        self._of = parts
        points, rules = parts.points, parts.rules.rules
        ends = {crane.asset: CraneEnds(crane.radius_min_m, crane.radius_max_m) for crane in parts.drawing.cranes}
        kinds = [(asset.asset, asset.kind) for asset in parts.assets]
        self._groups: tuple[BarGroup, ...] = plan_bars(BarInputs(points, rules, kinds, ends))
        delivered = ["" if ":" in point.device else point.asset for point in points.points]
        self._index = AssetIndex([asset.asset for asset in parts.assets], rules, delivered)
        self.about_data = AboutData(rules)
        self._last_pose: dict[str, tuple[float, float, float]] = {}
        self._titles = {asset.asset: (asset.title_zh, asset.title_en) for asset in parts.assets}
        self._pose_points = {
            crane.asset: tuple(points.index_of.get(f"{crane.asset}.{key}", -1) for key in _POSE_KEYS)
            for crane in parts.drawing.cranes
        }

    def _measured(self) -> Measured:
        parts = self._view.parts
        window, mono_ns = parts.window, parts.clock.monotonic_ns()
        unknown = window.stale(mono_ns) | (window.quality == Quality.BAD) | ~np.isfinite(window.value)
        return Measured(window.value, np.where(window.heard, window.age_s(mono_ns), NOWHERE), unknown)

    def _bar(self, plan: BarPlan, now: Measured) -> ShownBar:
        state = read_bar(plan, now)
        point = self._view.parts.points[state.point] if state.point >= 0 else None
        unit = point.unit if point is not None else plan.unit
        who = _short(point.point_id) if plan.kind is BarKind.WORST and point is not None else ""
        return ShownBar(plan, state, number(state.value, unit), unit_sign(unit), who)

    def _jib(self, crane: DrawnCrane, now: Measured) -> ShownJib:
        at = self._pose_points[crane.asset]
        heard = [float(now.value[i]) if i >= 0 else NOWHERE for i in at]
        before = self._last_pose.get(crane.asset, (NOWHERE, NOWHERE, NOWHERE))
        slew, radius, travel = (old if isnan(new) else new for new, old in zip(heard, before, strict=True))
        self._last_pose[crane.asset] = slew, radius, travel
        pose = jib_pose(self._view.parts.drawing, crane, slew, radius, travel)
        known = at[0] >= 0 and not now.unknown[at[0]]
        return ShownJib(crane, pose, known, float(now.age_s[at[0]]) if at[0] >= 0 else NOWHERE)


_POSE_KEYS: Final = ("slew_deg", "radius_m", "travel_m")


def _uplink(delivery: Delivery, queued: Mapping[str, int]) -> Uplink:
    waiting = queued.get(delivery.name, 0)
    return Uplink(delivery.name, delivery.takes_evidence, delivery.down_since_ns, waiting)


def _troubles(parts: BoxParts) -> Sequence[Trouble]:
    found = {
        Trouble.STORE_FAILING: bool(parts.recorder.failing_since_ns),
        Trouble.RESERVE_RELEASED: parts.alerts.reserve.released,
        Trouble.CHAIN_REPAIRED: parts.alerts.repair is not None,
        Trouble.IN_MEMORY: parts.in_memory,
        Trouble.STORE_LOST: parts.store_lost,
        Trouble.UPLINK_FAULT: any(any(delivery.fault) for delivery in parts.deliveries),
    }
    return [trouble for trouble, there in found.items() if there]


def _short(point_id: str) -> str:
    """A monitoring point as people call it: `pit-1.zqs-1_rate` is ZQS-1."""
    name = point_id.partition(".")[2]
    for ending in ("_rate", "_pct_f2", "_pct_fy"):
        name = name.removesuffix(ending)
    return name.upper()


def _bar_cell(bar: ShownBar) -> Row:
    state = bar.state
    if state.state is ReadState.UNKNOWN:
        return {"t": "", "s": "unknown", "a": _age(state.age_s)}
    return {"t": bar.text, "f": state.share, "s": state.state.value, "a": _age(state.age_s)}


def _jib_cell(jib: ShownJib) -> Row:
    pose = jib.pose
    row: Row = {"t": "", "s": "ok" if jib.known else "unknown", "a": _age(jib.age_s)}
    return row | {"b": pose.turn_deg, "r": pose.trolley, "x": pose.x, "y": pose.y}


def _age(age_s: float) -> float | None:
    """Seconds, None when nothing was ever heard."""
    return None if isnan(age_s) else round(age_s, 1)
