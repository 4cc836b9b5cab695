"""The overview as a model: which alarms come first, how each asset stands, what the bar at the top counts.

In: open alarms, truths of rules, what was last measured, deliveries. Out: frozen rows for the templates of S1 and the
wall. Pure: "now" is given. What is not known is a state of its own and never normal. Knows no HTML, no language.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import isnan
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gateway.line.clock_state import Sync
from gateway.model.alarm import Alarm, Severity
from gateway.model.rule import ResolvedRule
from gateway.model.verdict import Truth
from gateway.web.alarm_view import is_diagnostic

MOST_ROWS: Final = 12
PRIORITIES: Final = (Severity.P1, Severity.P2, Severity.P3)


@dataclass(frozen=True, slots=True)
class AlarmList:
    """The alarms of the first screen: `rows` in order, `more` that did not fit, and what is counted elsewhere.

    `diagnostics_waiting` is the gravest priority of a diagnostic that nobody has acknowledged.
    """

    rows: tuple[Alarm, ...]
    more: int
    diagnostics: int
    diagnostics_waiting: Severity | None
    shelved: int
    out_of_service: int
    suppressed: int

    @property
    def first_waiting(self) -> Alarm | None:
        """The alarm that a person should acknowledge next."""
        return next((alarm for alarm in self.rows if not alarm.acknowledged), None)


class Standing(StrEnum):
    """How an asset stands, from the gravest. SILENT: none of its instruments speaks. UNJUDGED: some rules cannot be
    judged. Only OK is normal."""

    P1 = "P1"
    P2 = "P2"
    P3 = "P3"
    SILENT = "silent"
    UNJUDGED = "unjudged"
    NO_DATA = "no_data"
    OK = "ok"


@dataclass(frozen=True, slots=True)
class AssetStanding:
    """One asset: its gravest state, how many alarms call it so, since when it is silent (s), rules without a verdict.

    `silent_s` is None while it speaks. `acknowledged` is about the gravest alarms.
    """

    asset: str
    standing: Standing
    acknowledged: bool
    alarms: int
    silent_s: float | None
    unjudged: int


@dataclass(frozen=True, slots=True)
class Uplink:
    """The way to a receiver: whether that is a regulator, down since (UTC ns, 0 = up), and how many messages wait."""

    name: str
    regulator: bool
    down_since_ns: int
    queued: int


@dataclass(frozen=True, slots=True)
class TopState:
    """What the bar at the top says. `waiting` counts unacknowledged alarms by priority; `raised` those of the last ten
    minutes (the window of the flood), `flood_line` when it is too many for one person."""

    waiting: Mapping[Severity, int]
    raised: int
    flood_line: int
    flood: bool
    shelved: int
    unjudged: int
    uplinks: tuple[Uplink, ...]
    troubles: tuple["Trouble", ...]
    clock: Sync = Sync.UNKNOWN

    @property
    def rate_share(self) -> float:
        """Length of the rate's bar, 0 to 1; the flood line stands at two thirds."""
        return min(1.0, self.raised / max(1.0, 1.5 * self.flood_line))


class Trouble(StrEnum):
    """What endangers records: shown on top of everything."""

    STORE_FAILING = "store_failing"
    RESERVE_RELEASED = "reserve_released"
    CHAIN_REPAIRED = "chain_repaired"
    IN_MEMORY = "in_memory"
    STORE_LOST = "store_lost"
    UPLINK_FAULT = "uplink_fault"


def list_alarms(alarms: Sequence[Alarm], about_data: "AboutData", most: int = MOST_ROWS) -> AlarmList:
    """Unacknowledged before acknowledged, the gravest first, active before returned, then the newest. Nothing is left
    out for its age. Diagnostics are counted; the grave ones that wait are shown where the alarms leave room."""
    shown: list[Alarm] = []
    diagnostics: list[Alarm] = []
    shelved, out, suppressed = 0, 0, 0
    for alarm in alarms:
        if alarm.suppressed or alarm.withheld:
            suppressed += 1
        elif alarm.out_of_service:
            out += 1
        elif alarm.shelved:
            shelved += 1
        else:
            (diagnostics if about_data.holds(alarm) else shown).append(alarm)
    waiting = [each for each in diagnostics if _waits(each)]
    grave = [each for each in waiting if each.rule.severity is not Severity.P3]
    rows = tuple([*sorted(shown, key=_rank), *sorted(grave, key=_rank)][:most])
    gravest = min((each.rule.severity for each in waiting), default=None)
    return AlarmList(rows, max(0, len(shown) - most), len(diagnostics), gravest, shelved, out, suppressed)


def _rank(alarm: Alarm) -> tuple[bool, Severity, bool, int]:
    return alarm.acknowledged, alarm.rule.severity, not alarm.active, -alarm.raised_at_ns


class AboutData:
    """Which alarms are diagnostics, as the lists of alarms have it: about the measuring and not about the machine."""

    def __init__(self, rules: Iterable[ResolvedRule]) -> None:
        self._family_of = {rule.info.rule_id: rule.family for rule in rules}

    def holds(self, alarm: Alarm) -> bool:
        """Whether it stands on the list of diagnostics."""
        info = alarm.rule
        row = {"severity": info.severity, "hazard": info.hazard, "rule_id": info.rule_id}
        return is_diagnostic(row, self._family_of.get(info.rule_id))


def count_waiting(alarms: Iterable[Alarm]) -> dict[Severity, int]:
    """How many alarms wait for a person, by priority, diagnostics among them: those for which a browser sounds."""
    counts = dict.fromkeys(PRIORITIES, 0)
    for alarm in alarms:
        if _waits(alarm):
            counts[alarm.rule.severity] += 1
    return counts


def _waits(alarm: Alarm) -> bool:
    silent = alarm.acknowledged or alarm.silenced or alarm.withheld
    return alarm.rule.severity in PRIORITIES and not silent


class AssetIndex:
    """Which rules and which points belong to which asset, looked up once for the settings in force."""

    def __init__(self, assets: Sequence[str], rules: Sequence[ResolvedRule], point_assets: Sequence[str]) -> None:
        """`point_assets` (points,) names the asset of each point that a device delivers; empty for what is derived."""
        position = {asset: i for i, asset in enumerate(assets)}
        self.assets = tuple(assets)
        self._rule_of = np.array([position.get(rule.asset, -1) for rule in rules], dtype=np.intp)
        of_points = np.array([position.get(asset, -1) for asset in point_assets], dtype=np.intp)
        self._points = [np.flatnonzero(of_points == i) for i in range(len(assets))]

    def unjudged(self, truth: NDArray[np.uint8]) -> NDArray[np.intp]:
        """Rules without a verdict, (assets,)."""
        rows = self._rule_of[truth == Truth.UNKNOWN]
        return np.bincount(rows[rows >= 0], minlength=len(self.assets))

    def silent_s(self, unknown: NDArray[np.bool_], age_s: NDArray[np.float64]) -> list[float | None]:
        """For each asset: None while a device of it speaks, else seconds since the last word; NaN without devices."""
        return [
            float("nan") if not len(points) else None if not unknown[points].all() else float(age_s[points].min())
            for points in self._points
        ]


def stand(
    index: AssetIndex, alarms: Iterable[Alarm], unjudged: NDArray[np.intp], silent_s: Sequence[float | None]
) -> tuple[AssetStanding, ...]:
    """How every asset stands, in the site's order. `alarms` are those that a person should see."""
    found: dict[str, list[Alarm]] = {asset: [] for asset in index.assets}
    for alarm in alarms:
        if alarm.asset in found and not (alarm.silenced or alarm.withheld) and alarm.rule.severity in PRIORITIES:
            found[alarm.asset].append(alarm)
    return tuple(_stand(asset, found[asset], int(unjudged[i]), silent_s[i]) for i, asset in enumerate(index.assets))


def _stand(asset: str, alarms: Sequence[Alarm], unjudged: int, silent_s: float | None) -> AssetStanding:
    gravest = min((alarm.rule.severity for alarm in alarms), default=None)
    acknowledged = all(alarm.acknowledged for alarm in alarms if alarm.rule.severity is gravest)
    if gravest is not None:
        standing = Standing(gravest.value)
    elif silent_s is None:
        standing = Standing.UNJUDGED if unjudged else Standing.OK
    else:
        standing = Standing.NO_DATA if isnan(silent_s) else Standing.SILENT
    return AssetStanding(asset, standing, acknowledged, len(alarms), silent_s, unjudged)
