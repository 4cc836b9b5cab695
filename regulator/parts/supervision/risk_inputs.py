"""From what the records say of a project to the seven inputs of its score, with the words for each. Pure.

What is seen counts even where something else is not known: a standing alarm of a box that fell silent still stands.
What cannot be known takes what last counted of it along, so that losing sight of a project never lowers its score.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from regulator.base.kinds import DeviceKind, ProjectStatus, WorkStage, WorkType
from regulator.parts.supervision.risk import Factor, Footing, Input
from regulator.parts.supervision.risk_facts import Alarming, RiskFacts, Watched, Work
from regulator.parts.supervision.risk_file import AlarmFactor, RiskFile

NOTHING, WORST = Decimal(0), Decimal(1)
CRANES = (DeviceKind.TOWER_CRANE.value, DeviceKind.HOIST.value, DeviceKind.GANTRY_CRANE.value)
PITS = (DeviceKind.DEEP_PIT.value,)


@dataclass(frozen=True, slots=True)
class Now:
    """The day, the moment (UTC ns), and how long a box or a device may say nothing."""

    day: date
    at_ns: int
    silent_s: int

    @property
    def fresh_ns(self) -> int:
        """What was heard before this moment is old."""
        return self.at_ns - self.silent_s * 1_000_000_000


def inputs_of(file: RiskFile, facts: RiskFacts, now: Now) -> dict[Factor, Input]:
    """All seven."""
    rules = file.factors
    return {
        Factor.CRANE: _machine(file, rules.crane_state, facts, (CRANES, WorkType.LIFTING), Factor.CRANE, now),
        Factor.PIT: _machine(file, rules.pit_state, facts, (PITS, WorkType.PIT), Factor.PIT, now),
        Factor.WEATHER: _weather(file, facts, now),
        Factor.OVERDUE: _overdue(file, facts),
        Factor.PEOPLE: _people(file, facts, now),
        Factor.PAST: _past(file, facts, now),
        Factor.WORKS: _works(file, facts),
    }


def _machine(
    file: RiskFile,
    rule: AlarmFactor,
    facts: RiskFacts,
    what: tuple[tuple[str, ...], WorkType],
    factor: Factor,
    now: Now,
) -> Input:
    """Cranes or pits: the worst standing alarm, and whether every one of them is measured."""
    kinds, work_type = what
    standing = [each for each in facts.alarms if rule.covers(each.rule_id)]
    seen = _worst(file, standing)
    owned = [each for each in facts.watched if each.kind in kinds]
    works = [work for work in facts.works if work.type == work_type.value and work.stage == WorkStage.RUNNING.value]
    dark = sum(1 for each in owned if _dark(each, facts, now))
    if dark or (works and not owned) or facts.status == ProjectStatus.UNREGISTERED.value:
        zh, en = _dark_words(dark, len(owned), works)
        return _unknown(
            facts, factor, seen, f"{rule.zh}：{zh}{_alarm_zh(standing)}", f"{rule.en}: {en}{_alarm_en(standing)}"
        )
    if not owned and not standing:
        return Input(NOTHING, Footing.ABSENT, f"{rule.zh}：无此类设备", f"{rule.en}: there is none")
    zh = _alarm_zh(standing) or "，无未恢复报警"
    en = _alarm_en(standing) or ", no standing alarm"
    return Input(seen, Footing.KNOWN, f"{rule.zh}：{zh[1:]}", f"{rule.en}: {en[2:]}")


def _dark(device: Watched, facts: RiskFacts, now: Now) -> bool:
    return device.last_minute_ns < now.fresh_ns or facts.last_seen_ns < now.fresh_ns


def _dark_words(dark: int, owned: int, works: Iterable[Work]) -> tuple[str, str]:
    if owned:
        return f"{owned} 台中 {dark} 台无有效数据", f"{dark} of {owned} without valid data"
    if list(works):
        return "有在施工程但未登记设备", "works are running, and no device is registered"
    return "项目未登记", "the project is not registered"


def _weather(file: RiskFile, facts: RiskFacts, now: Now) -> Input:
    rule = file.factors.weather
    standing = [each for each in facts.alarms if rule.covers(each.rule_id)]
    colours = [Decimal(getattr(file.warnings, colour)) for colour in facts.warnings]
    seen = max([_worst(file, standing), *colours])
    zh, en = _alarm_zh(standing), _alarm_en(standing)
    if facts.warnings:
        zh, en = f"{zh}，生效预警 {len(colours)} 个", f"{en}, {len(colours)} warnings in force"
    if facts.last_seen_ns < now.fresh_ns:
        said = (
            ("，监控主机无消息", ", the box is silent") if facts.last_seen_ns else ("，无监控主机", ", there is no box")
        )
        return _unknown(
            facts, Factor.WEATHER, seen, f"{rule.zh}：{(said[0] + zh)[1:]}", f"{rule.en}: {(said[1] + en)[2:]}"
        )
    zh, en = zh or "，无报警、无预警", en or ", no alarm, no warning"
    return Input(seen, Footing.KNOWN, f"{rule.zh}：{zh[1:]}", f"{rule.en}: {en[2:]}")


def _overdue(file: RiskFile, facts: RiskFacts) -> Input:
    rule = file.factors.hazards_overdue
    general, major = facts.overdue_general, facts.overdue_major
    severity = WORST - (WORST - rule.general) ** general * (WORST - rule.major) ** major
    zh = f"{rule.zh}：{general + major} 项，其中重大 {major} 项"
    return Input(severity, Footing.KNOWN, zh, f"{rule.en}: {general + major}, {major} of them major")


def _people(file: RiskFile, facts: RiskFacts, now: Now) -> Input:
    rule = file.factors.key_people
    seen = {(role, day) for role, day in facts.check_ins if role in rule.roles}
    first = max(min((day for _, day in seen), default="9999"), (now.day - timedelta(days=rule.days)).isoformat())
    days = [day for back in range(1, rule.days + 1) if (day := (now.day - timedelta(days=back)).isoformat()) >= first]
    expected = len(days) * len(rule.roles)
    if not expected:
        words = (f"{rule.zh}：无打卡记录", f"{rule.en}: nobody's check-in is on record")
        return _unknown(facts, Factor.PEOPLE, NOTHING, *words)
    missing = sum((role, day) not in seen for day in days for role in rule.roles)
    zh = f"{rule.zh}：近 {len(days)} 日应到 {expected} 人次，缺 {missing} 人次"
    en = f"{rule.en}: {missing} of {expected} check-ins missing in {len(days)} days"
    return Input(Decimal(missing) / expected, Footing.KNOWN, zh, en)


def _past(file: RiskFile, facts: RiskFacts, now: Now) -> Input:
    rule = file.factors.past_score
    points = sum(event.points for event in facts.past if event.on_day > now.day - timedelta(days=rule.days))
    severity = WORST if facts.key_risk else min(WORST, Decimal(points) / rule.full_points)
    listed = ("，已列重点风险台账", ", on the key-risk list") if facts.key_risk else ("", "")
    zh = f"{rule.zh}：近 {rule.days} 日扣 {points} 分{listed[0]}"
    return Input(severity, Footing.KNOWN, zh, f"{rule.en}: {points} points in {rule.days} days{listed[1]}")


def _works(file: RiskFile, facts: RiskFacts) -> Input:
    rule = file.factors.works_grade
    if not facts.works:
        if facts.status == ProjectStatus.STOPPED.value:
            return Input(NOTHING, Footing.ABSENT, f"{rule.zh}：无", f"{rule.en}: there are none")
        words = (f"{rule.zh}：未登记任何危大工程", f"{rule.en}: none was ever entered")
        return _unknown(facts, Factor.WORKS, NOTHING, *words)
    graded = [_grade(file, work) for work in facts.works]
    running = sum(work.stage == WorkStage.RUNNING.value for work in facts.works)
    over = sum(work.over_scale for work in facts.works)
    zh = f"{rule.zh}：{len(graded)} 项，在施 {running} 项，超规模 {over} 项"
    en = f"{rule.en}: {len(graded)}, {running} of them running, {over} over-scale"
    return Input(max(graded), Footing.KNOWN, zh, en)


def _grade(file: RiskFile, work: Work) -> Decimal:
    rule, running = file.factors.works_grade, work.stage == WorkStage.RUNNING.value
    if work.over_scale:
        return rule.over_scale_running if running else rule.over_scale
    return rule.running if running else rule.planned


def _unknown(facts: RiskFacts, factor: Factor, seen: Decimal, zh: str, en: str) -> Input:
    last = facts.last.get(factor.value, NOTHING)
    return Input(max(seen, last), Footing.UNKNOWN, f"{zh}（未知）", f"{en} (unknown)")


def _worst(file: RiskFile, standing: Iterable[Alarming]) -> Decimal:
    return max((Decimal(getattr(file.alarms, each.severity, NOTHING)) for each in standing), default=NOTHING)


def _alarm_zh(standing: "list[Alarming]") -> str:
    return f"，未恢复报警 {_summed(standing)}" if standing else ""


def _alarm_en(standing: "list[Alarming]") -> str:
    return f", standing alarms {_summed(standing)}" if standing else ""


def _summed(standing: "list[Alarming]") -> str:
    counts = {name: sum(each.count for each in standing if each.severity == name) for name in ("P1", "P2", "P3", "log")}
    return " ".join(f"{name}×{count}" for name, count in counts.items() if count)
