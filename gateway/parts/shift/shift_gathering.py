"""The handover sheet: open alarms, shelved and unseen ones, and the last hours.

In: a snapshot of the running box (taken in the event loop) and the alarms' reader. Out: a `Sheet`. Nothing that waits
is left out because it is old.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from gateway.evidence.evidence import RecordKind
from gateway.figures.spans import Span, gaps, joined, running_spans
from gateway.model.alarm import Alarm, OutOfService, Severity
from gateway.parts.shift.alarm_rows import PRIORITY, alarms_section, counts_section, nothing, title_of
from gateway.parts.shift.records_said import notes_by_alarm
from gateway.store.alarm_reader import AlarmReader
from gateway.web.sheet import UNKNOWN, Cell, Mark, Section, Sheet, count, moment, plain
from kit.words import Words

LOOKED_BACK_NS = 12 * 3_600_000_000_000
DAY_NS = 86_400_000_000_000
MOST_UNKNOWN = 100


@dataclass(frozen=True, slots=True)
class UnknownRule:
    """A rule that has no verdict now, on one subject; `reason` where the box knows more than that data is missing."""

    title: Words
    subject: str
    reason: Words


@dataclass(frozen=True, slots=True)
class DownLink:
    """A device that is not heard; `heard_at_ns` 0: not since the start."""

    device: str
    state: Words
    heard_at_ns: int
    last_error: str


@dataclass(frozen=True, slots=True)
class ShiftSnapshot:
    """The running box at one moment. `withheld` was suppressed before anybody was told."""

    alarms: tuple[Alarm, ...]
    withheld: tuple[Alarm, ...]
    services: tuple[OutOfService, ...]
    unknown: tuple[UnknownRule, ...]
    links_down: tuple[DownLink, ...]


class ShiftGathering:
    """Makes the sheet of a handover."""

    def __init__(self, snapshot: Callable[[], ShiftSnapshot], alarms: AlarmReader) -> None:
        self._snapshot = snapshot
        self._alarms = alarms

    async def __call__(self, now_ns: int) -> Sheet:
        """As it stands now."""
        snapshot = self._snapshot()
        return await asyncio.to_thread(shift_sheet, snapshot, self._alarms, now_ns)


def shift_sheet(snapshot: ShiftSnapshot, reader: AlarmReader, now_ns: int) -> Sheet:
    """Everything a shift leader asks for. Blocks."""
    span = Span(now_ns - LOOKED_BACK_NS, now_ns)
    notes = notes_by_alarm(reader.records([RecordKind.ALARM_NOTE], span.from_ns, now_ns + 1))
    recent = reader.alarms(span.from_ns, now_ns + 1)
    off = gaps(joined(running_spans(reader.starts(RecordKind.STARTED, RecordKind.STOPPED), now_ns)), span)
    sections = (
        *_open(snapshot, notes),
        _shelved(snapshot.alarms),
        _services(snapshot.services),
        _suppressed(snapshot),
        _unknown(snapshot.unknown),
        _links(snapshot.links_down, off),
        _standing(snapshot.alarms, now_ns),
        _titled(counts_section(recent, span.from_ns, now_ns + 1)),
    )
    return Sheet(now_ns, sections)


def _open(snapshot: ShiftSnapshot, notes: "dict[str, list[str]]") -> Iterator[Section]:
    """What asks for somebody first stands apart."""
    urgent = [a for a in snapshot.alarms if not a.acknowledged and a.rule.severity in (Severity.P1, Severity.P2)]
    others = [alarm for alarm in snapshot.alarms if alarm not in urgent]
    yield alarms_section("urgent", Words("未确认的一级、二级报警", "Unacknowledged P1 and P2"), urgent, notes)
    yield alarms_section("open", Words("其他未关闭的报警", "Other open alarms"), others, notes)


def _shelved(alarms: Sequence[Alarm]) -> Section:
    rows = tuple(
        (
            Cell(title_of(alarm)),
            plain(alarm.subject),
            moment(alarm.shelved_until_ns),
            plain(alarm.shelved_by),
            plain(alarm.shelve_reason),
        )
        for alarm in alarms
        if alarm.shelved
    )
    header = (
        Words("报警", "Alarm"),
        Words("对象", "Subject"),
        Words("到期", "Until"),
        Words("操作人", "Who"),
        Words("原因", "Reason"),
    )
    return Section("shelved", Words("搁置的报警", "Shelved alarms"), header, rows or (nothing(len(header)),))


def _services(services: Sequence[OutOfService]) -> Section:
    rows = tuple(
        (
            plain(service.target),
            moment(service.since_ns),
            moment(service.until_ns),
            plain(service.user),
            plain(service.reason),
        )
        for service in services
    )
    header = (
        Words("设备或测点", "Device or point"),
        Words("自", "Since"),
        Words("至", "Until"),
        Words("操作人", "Who"),
        Words("原因", "Reason"),
    )
    title = Words("停用的设备、测点", "Devices and points out of service")
    return Section("services", title, header, rows or (nothing(len(header)),))


def _suppressed(snapshot: ShiftSnapshot) -> Section:
    held = [alarm for alarm in snapshot.alarms if alarm.suppressed] + list(snapshot.withheld)
    rows = tuple(
        (Cell(PRIORITY[alarm.rule.severity]), Cell(title_of(alarm)), plain(alarm.subject), plain(alarm.suppressed_by))
        for alarm in held
    )
    header = (
        Words("等级", "Priority"),
        Words("报警", "Alarm"),
        Words("对象", "Subject"),
        Words("被哪条规则抑制", "Suppressed by"),
    )
    title = Words("按设计抑制的报警", "Suppressed by design")
    return Section("suppressed", title, header, rows or (nothing(len(header)),))


def _unknown(rules: Sequence[UnknownRule]) -> Section:
    rows = tuple(
        (Cell(rule.title, Mark.UNKNOWN), plain(rule.subject), _reason(rule.reason)) for rule in rules[:MOST_UNKNOWN]
    )
    left = len(rules) - MOST_UNKNOWN
    more = Words(f"另有 {left} 条", f"{left} more") if left > 0 else Words("", "")
    header = (Words("规则", "Rule"), Words("对象", "Subject"), Words("原因", "Reason"))
    title = Words("当前无法判断的规则", "Rules that cannot be judged now")
    return Section("unknown", title, header, rows or (nothing(len(header)),), more)


def _reason(reason: Words) -> Cell:
    return Cell(reason) if reason.zh else Cell(Words("无数据", "no data"))


def _links(down: Sequence[DownLink], off: Sequence[Span]) -> Section:
    rows = [
        (plain(link.device), Cell(link.state, Mark.UNKNOWN), _heard(link), plain(link.last_error or "–"))
        for link in down
    ]
    for gap in off:
        said = f"{moment(gap.from_ns).words.zh} – {moment(gap.to_ns).words.zh}"
        away = Words("未运行", "did not run")
        rows.append((plain("监控主机", "this box"), Cell(away, Mark.UNKNOWN), plain(said), plain("–")))
    header = (
        Words("设备", "Device"),
        Words("状态", "State"),
        Words("最后有效数据", "Last heard"),
        Words("最近错误", "Last error"),
    )
    title = Words("中断的设备与近 12 小时监测中断", "Links down, and when the box did not run in 12 h")
    return Section("links", title, header, tuple(rows) or (nothing(len(header)),))


def _heard(link: DownLink) -> Cell:
    return moment(link.heard_at_ns) if link.heard_at_ns else UNKNOWN


def _standing(alarms: Sequence[Alarm], now_ns: int) -> Section:
    old = [alarm for alarm in alarms if alarm.active and alarm.raised_at_ns <= now_ns - DAY_NS]
    rows = tuple((Cell(title_of(alarm)), plain(alarm.subject), moment(alarm.raised_at_ns)) for alarm in old)
    header = (Words("报警", "Alarm"), Words("对象", "Subject"), Words("发生", "Raised"))
    title = Words("存在超过 24 小时的报警", "Active for longer than 24 h")
    mark = count(len(rows)).words.zh
    note = Words(f"共 {mark} 条", f"{mark} in all")
    return Section("standing", title, header, rows or (nothing(len(header)),), note)


def _titled(section: Section) -> Section:
    title = Words("近 12 小时报警统计", "Alarms of the last 12 h")
    return Section(section.key, title, section.header, section.rows)
