"""Alarms as rows of a paper: the gravest first, with who answered and what was said.

In: alarms, notes. Out: sections. Of many alarms the gravest are named, of the others it says how many.
"""

from collections.abc import Mapping, Sequence

from gateway.model.alarm import Alarm, Severity
from gateway.web.sheet import NONE, Cell, Mark, Section, count, moment, plain
from kit.words import Words

MOST_ALARMS = 100
PRIORITY = {
    Severity.P1: Words("一级", "P1"),
    Severity.P2: Words("二级", "P2"),
    Severity.P3: Words("三级", "P3"),
    Severity.LOG: Words("诊断", "diagnostic"),
}
_MARK = {Severity.P1: Mark.DANGER, Severity.P2: Mark.ATTENTION}
_CALLING = (Severity.P1, Severity.P2, Severity.P3)


def counts_section(alarms: Sequence[Alarm], from_ns: int, to_ns: int) -> Section:
    """How many were raised in a span, answered, and are still open, by priority."""
    raised = [alarm for alarm in alarms if from_ns <= alarm.raised_at_ns < to_ns]
    rows = tuple(_counted(raised, severity) for severity in _CALLING)
    header = (
        Words("等级", "Priority"),
        Words("发生", "raised"),
        Words("已确认", "acknowledged"),
        Words("未确认", "unacknowledged"),
        Words("条件仍存在", "still active"),
    )
    return Section("alarm_counts", Words("报警统计", "Alarms by priority"), header, rows)


def alarms_section(key: str, title: Words, alarms: Sequence[Alarm], notes: Mapping[str, Sequence[str]]) -> Section:
    """A section of the paper with one row an alarm."""
    order = sorted(alarms, key=lambda alarm: (list(Severity).index(alarm.rule.severity), alarm.raised_at_ns))
    header = (
        Words("等级", "Priority"),
        Words("报警", "Alarm"),
        Words("对象", "Subject"),
        Words("发生", "Raised"),
        Words("状态", "State"),
        Words("确认", "Acknowledged"),
        Words("处置记录", "Handling"),
    )
    rows = tuple(_alarm_row(alarm, notes.get(alarm.alarm_id, ())) for alarm in order[:MOST_ALARMS])
    left = len(order) - MOST_ALARMS
    more = Words(f"另有 {left} 条，见系统报警记录", f"{left} more, see the alarm list") if left > 0 else Words("", "")
    return Section(key, title, header, rows or (nothing(len(header)),), more)


def nothing(width: int) -> tuple[Cell, ...]:
    """The row of a table in which there is nothing to say."""
    return (Cell(NONE), *(Cell(Words("–", "–")) for _ in range(width - 1)))


def title_of(alarm: Alarm) -> Words:
    """What the alarm is about, in both languages."""
    return Words(alarm.rule.title_zh, alarm.rule.title_en)


def state_of(alarm: Alarm) -> Cell:
    """Active or over, and what cannot be judged."""
    if alarm.active and alarm.unknown:
        return Cell(Words("数据未知，报警保持", "data unknown, alarm stays"), Mark.UNKNOWN)
    if alarm.active:
        return Cell(Words("条件存在", "active"), Mark.ATTENTION)
    if alarm.latched:
        return Cell(Words("待复位", "waits for reset"))
    if not alarm.returned_at_ns:
        return Cell(Words("恢复时间未知", "time of return unknown"), Mark.UNKNOWN)
    at = moment(alarm.returned_at_ns).words.zh
    return Cell(Words(f"已恢复 {at}", f"returned {at}"))


def answered(alarm: Alarm) -> Cell:
    """By whom and when the alarm was answered."""
    if not alarm.acknowledged:
        calls = alarm.rule.severity is not Severity.LOG
        return Cell(Words("未确认", "not acknowledged"), Mark.ATTENTION) if calls else Cell(Words("–", "–"))
    text = f"{alarm.acknowledged_by} {moment(alarm.acknowledged_at_ns).words.zh}"
    return Cell(Words(text, text))


def _counted(raised: Sequence[Alarm], severity: Severity) -> tuple[Cell, ...]:
    some = [alarm for alarm in raised if alarm.rule.severity is severity]
    waiting = sum(not alarm.acknowledged for alarm in some)
    active = sum(alarm.active for alarm in some)
    return (
        Cell(PRIORITY[severity]),
        count(len(some)),
        count(len(some) - waiting),
        count(waiting, Mark.ATTENTION if waiting else Mark.NUMBER),
        count(active),
    )


def _alarm_row(alarm: Alarm, notes: Sequence[str]) -> tuple[Cell, ...]:
    said = "；".join(part for part in (alarm.acknowledge_reason, *notes) if part)
    return (
        Cell(PRIORITY[alarm.rule.severity], _MARK.get(alarm.rule.severity, Mark.PLAIN)),
        Cell(title_of(alarm)),
        plain(alarm.subject),
        moment(alarm.raised_at_ns),
        state_of(alarm),
        answered(alarm),
        plain(said) if said else Cell(Words("–", "–")),
    )
