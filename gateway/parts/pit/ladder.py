"""How far each point was on the ladder (关注, 预警, 报警, 危险) on a day, and by which control values.

In: the rules in force and the alarms of the day. Out: a level and the control values of each point. The ladder's steps
are told by the severities of its rules (log, P3, P2, P1); only rules that judge the point's value, its rate or its load
count, not those that say that a reading is missing. No alarm is NORMAL only where the rules could prove it.
"""

from collections.abc import Iterable, Mapping, Sequence
from math import isfinite, nan

from gateway.model.alarm import Alarm, RuleInfo, Severity
from gateway.model.rule import Direction, GateParameters, ResolvedRule, RuleFamily
from gateway.parts.pit.model.description import PitPoint
from gateway.parts.pit.model.items import DesignShare
from gateway.parts.pit.model.outputs import Ending
from gateway.parts.pit.report.daily_layout import SOURCES
from gateway.parts.pit.report.daily_report import Control, Level

LEVEL_OF: Mapping[Severity, Level] = {
    Severity.LOG: Level.ATTENTION,
    Severity.P3: Level.WARNING,
    Severity.P2: Level.ALARM,
    Severity.P1: Level.DANGER,
}
_STEPS = tuple(LEVEL_OF.values())
_SHARES = {DesignShare.F1: Ending.PCT_F1, DesignShare.F2: Ending.PCT_F2, DesignShare.FY: Ending.PCT_FY}
_ENDINGS = ("", Ending.RATE, Ending.DAY_RATE, *_SHARES.values())
_FAMILIES = (RuleFamily.THRESHOLD, RuleFamily.CONSECUTIVE)
_LIMIT_ROW = "alarm"
"""The last part of the id of the row that is the limit itself (config/rules/national/pit-rows.yaml)."""


class Ladder:
    """The ladder of one pit on one day."""

    def __init__(self, asset: str, rules: Iterable[ResolvedRule], alarms: Sequence[Alarm]) -> None:
        self._asset = asset
        self._rules: dict[str, list[ResolvedRule]] = {}
        for rule in rules:
            if rule.asset == asset and rule.family in _FAMILIES:
                self._rules.setdefault(rule.subject, []).append(rule)
        self._judged = {(rule.info.rule_id, rule.subject) for rules in self._rules.values() for rule in rules}
        self._alarms: dict[str, list[Alarm]] = {}
        for alarm in alarms:
            self._alarms.setdefault(alarm.subject, []).append(alarm)

    def level(self, point: PitPoint) -> Level:
        """The gravest of the day's alarms; without one NORMAL, or UNKNOWN where no rule could have proved it."""
        steps = [LEVEL_OF[alarm.rule.severity] for alarm in self._alarms_of(point)]
        if steps:
            return max(steps, key=_STEPS.index)
        rules = [rule for subject in self._subjects(point) for rule in self._rules.get(subject, [])]
        return Level.NORMAL if rules and all(_proves(rule) for rule in rules) else Level.UNKNOWN

    def control(self, point: PitPoint) -> Control:
        """The limits themselves, as the rules compare them, in the item's unit; a load's from its design values."""
        found = [*self._limits(point, "", 1.0)]
        for share, ending in _SHARES.items():
            design = point.control.design(share) if point.control is not None else None
            found += self._limits(point, ending, nan if design is None else design / 100.0)
        high = min((each for each in found if each[0] is not Direction.LOW), key=_size, default=None)
        low = max((each for each in found if each[0] is Direction.LOW), key=_size, default=None)
        rate = min(self._limits(point, Ending.RATE, 1.0), key=_size, default=None)
        return _control(high, low, rate)

    def _limits(self, point: PitPoint, ending: str, scale: float) -> "list[_Limit]":
        subject = f"{self._asset}.{point.name}{ending}"
        return [
            (rule.direction, rule.limit * scale, rule.info)
            for rule in self._rules.get(subject, [])
            if rule.info.rule_id.rpartition(".")[2] == _LIMIT_ROW and isfinite(rule.limit * scale)
        ]

    def _alarms_of(self, point: PitPoint) -> list[Alarm]:
        found = [alarm for subject in self._subjects(point) for alarm in self._alarms.get(subject, [])]
        return [
            alarm for alarm in found if (alarm.rule.rule_id, alarm.subject) in self._judged or _of_ladder(alarm.rule)
        ]

    def _subjects(self, point: PitPoint) -> list[str]:
        return [f"{self._asset}.{point.name}{ending}" for ending in _ENDINGS]


_Limit = tuple[Direction, float, RuleInfo]


def _size(limit: _Limit) -> float:
    return limit[1]


def _of_ladder(rule: RuleInfo) -> bool:
    """A rule that is not in force any more still counts on the day on which it was."""
    return rule.rule_id.startswith("pit.")


def _proves(rule: ResolvedRule) -> bool:
    """Whether a value below the limit is right: not when the limit is an upper bound only."""
    return not isinstance(rule.parameters, GateParameters) or rule.parameters.exact


def _control(high: _Limit | None, low: _Limit | None, rate: _Limit | None) -> Control:
    """Where all of it comes from: of several sources each is named."""
    said = list(dict.fromkeys(limit[2] for limit in (high, low, rate) if limit is not None))
    sources = list(dict.fromkeys(info.limit_source for info in said))
    return Control(
        cumulative=high[1] if high else nan,
        lower=low[1] if low else nan,
        rate_per_day=rate[1] if rate else nan,
        source=sources[0] if len(sources) == 1 else "；".join(SOURCES.get(each, each) for each in sources),
        clause="；".join(dict.fromkeys(info.clause for info in said)),
        certainty="；".join(dict.fromkeys(info.certainty for info in said)),
    )
