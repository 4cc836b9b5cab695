"""What a message to people says: outbox rows read back, and put into Chinese or English. Pure.

In: outbox rows of kind `alarm_transition`, `escalation` and `test` (canonical JSON, see `gateway.evidence.evidence`).
Out: plain lines of text. Many at once become one text that says how many of what were put together, so nothing leaves
unsaid. Knows no receiver, no markup and no limit of length but those it is given.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from gateway.model.alarm import Severity
from gateway.model.alert import OutboxItem
from screens.catalogue import Language as ScreenLanguage
from screens.citing import certainty_text, clause_text

Language = Literal["zh", "en"]
LATE_AFTER_S = 60
RANK = {severity: rank for rank, severity in enumerate(Severity)}

_READABLE = {"alarm_transition", "escalation", "test"}
_EVENTS: dict[Language, dict[str, str]] = {
    "zh": {"raised": "报警", "acknowledged": "已确认", "returned": "已恢复", "escalation": "升级", "test": "测试"},
    "en": {
        "raised": "alarm",
        "acknowledged": "acknowledged",
        "returned": "returned to normal",
        "escalation": "escalation",
        "test": "test",
    },
}
_REASONS: dict[Language, tuple[str, str]] = {
    "zh": ("{} 秒无人确认", "没有值班屏幕在线"),
    "en": ("nobody has acknowledged it for {} s", "no screen is listening"),
}
_TEST: dict[Language, str] = {
    "zh": "这是一条测试消息，不是报警，无需处理。",
    "en": "This is a test message, not an alarm. Nothing is to be done.",
}
_UNACKNOWLEDGED = re.compile(r"unacknowledged (\d+) s")
_BREAKS = re.compile(r"[\x00-\x20\x7f-\xa0\u2028\u2029]+")


class _Body(BaseModel):
    """The fields that the three kinds of rows share; what is not here is not said, and may come and go."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    transition: str = ""
    severity: Severity = Severity.LOG
    title_zh: str = ""
    title_en: str = ""
    asset: str = ""
    subject: str = ""
    measured: str | None = None
    limit: str | None = None
    unit: str = ""
    clause: str = ""
    certainty: str = ""
    suspected: bool = False
    observed_at_ns: int = 0
    escalated_at_ns: int = 0
    sent_at_ns: int = 0
    project_code: str = ""
    because: str = ""
    user: str = ""
    reason: str = ""
    evidence_seq: int | None = None


@dataclass(frozen=True, slots=True)
class Notice:
    """One row in words to be. `event` is the transition, `escalation` or `test`; `late_s` is how old the row is."""

    key: str
    event: str
    body: _Body
    at_ns: int
    late_s: int
    attempts: int

    @property
    def rank(self) -> int:
        """0 is what people must see first."""
        return -1 if self.event == "escalation" else RANK[self.body.severity]

    def title(self, language: Language) -> str:
        """The rule's title, or what a test is."""
        if self.event == "test":
            return _TEST[language]
        return _plain(self.body.title_zh if language == "zh" else self.body.title_en)


@dataclass(frozen=True, slots=True)
class Wording:
    """How people are spoken to: one language, and how far the site's clock is from UTC."""

    language: Language
    utc_offset_min: int

    def details(self, notice: Notice) -> list[str]:
        """Everything about one notice, a line a fact."""
        if notice.event == "test":
            return [self._headline(notice), self._when(notice), self._whose(notice)]
        lines = [self._headline(notice), self._which(notice), self._values(notice), self._when(notice)]
        lines += [self._clause(notice), self._person(notice), self._whose(notice)]
        return [line for line in lines if line]

    def line(self, notice: Notice) -> str:
        """One notice on one line: severity, event, title, asset, value and time."""
        body, event = notice.body, self._event(notice)
        if notice.event == "test":
            return f"{event} {notice.title(self.language)} {self._time(notice, '%H:%M:%S')}"
        measured, limit = _number(body.measured), _number(body.limit)
        bound = (f"（限 {limit}）" if self.language == "zh" else f" (limit {limit})") if limit else ""
        value = f"{measured}{_unit(body.unit)}{bound}" if measured else ""
        why = self._because(body.because)
        title = f"{notice.title(self.language)}{self._doubt(notice)}"
        parts = [str(body.severity), event, title, _plain(body.asset), value, why, self._time(notice, "%m-%d %H:%M:%S")]
        return " ".join(part for part in parts if part)

    def counts(self, notices: Sequence[Notice]) -> str:
        """How many of what are put together: `合并 3 条：P1 报警 2，P2 已恢复 1`."""
        found = Counter(
            (notice.rank, f"{notice.body.severity} {self._event(notice)}" if notice.event != "test" else "test")
            for notice in sorted(notices, key=lambda notice: notice.rank)
        )
        zh = self.language == "zh"
        listed = ("，" if zh else ", ").join(f"{what} {count}" for (_, what), count in found.items())
        return f"合并 {len(notices)} 条：{listed}" if zh else f"{len(notices)} in one message: {listed}"

    def _event(self, notice: Notice) -> str:
        return _EVENTS[self.language].get(notice.event, _plain(notice.event))

    def _doubt(self, notice: Notice) -> str:
        zh, said = self.language == "zh", ""
        if notice.body.suspected:
            said += "（疑似，待人员确认）" if zh else " (suspected, a person confirms)"
        if notice.body.evidence_seq == 0:
            said += "（未存证：磁盘无法写入）" if zh else " (not sealed: the disk takes no records)"
        return said

    def _headline(self, notice: Notice) -> str:
        event, title = self._event(notice), notice.title(self.language)
        if notice.event == "test":
            return f"【{event}】{title}" if self.language == "zh" else f"[{event}] {title}"
        why = self._because(notice.body.because)
        text = f"{title}{self._doubt(notice)}"
        if self.language == "zh":
            return f"【{notice.body.severity} {event}】{text}" + (f"：{why}" if why else "")
        return f"[{notice.body.severity} {event}] {text}" + (f": {why}" if why else "")

    def _which(self, notice: Notice) -> str:
        asset, subject = _plain(notice.body.asset), _plain(notice.body.subject)
        return f"对象：{asset}（{subject}）" if self.language == "zh" else f"Asset: {asset} ({subject})"

    def _values(self, notice: Notice) -> str:
        body = notice.body
        zh, unit = self.language == "zh", _unit(body.unit)
        measured, limit = _number(body.measured), _number(body.limit)
        said = f"{measured}{unit}" if measured else ("无读数" if zh else "no reading")
        bound = f"{limit}{unit}" if limit else ("无" if zh else "none")
        return f"测值：{said}，限值：{bound}" if zh else f"Measured: {said}, limit: {bound}"

    def _when(self, notice: Notice) -> str:
        zh, at = self.language == "zh", self._time(notice, "%Y-%m-%d %H:%M:%S")
        late = ""
        if notice.late_s > LATE_AFTER_S:
            minutes = -(-notice.late_s // 60)
            late = f"，迟到 {minutes} 分钟" if zh else f", {minutes} min late"
        sign, minutes_off = ("-" if self.utc_offset_min < 0 else "+"), abs(self.utc_offset_min)
        zone = f"UTC{sign}{minutes_off // 60:02d}:{minutes_off % 60:02d}"
        return f"时间：{at}（{zone}）{late}" if zh else f"Time: {at} ({zone}){late}"

    def _clause(self, notice: Notice) -> str:
        zh = self.language == "zh"
        language: ScreenLanguage = "zh-CN" if zh else "en"
        clause = clause_text(language, _plain(notice.body.clause))
        certainty = certainty_text(language, _plain(notice.body.certainty))
        if not clause:
            return ""
        return f"依据：{clause}（{certainty}）" if zh else f"Clause: {clause} ({certainty})"

    def _person(self, notice: Notice) -> str:
        who, why = _plain(notice.body.user), _plain(notice.body.reason)
        if not who:
            return ""
        return f"人员：{who}：{why}" if self.language == "zh" else f"By: {who}: {why}"

    def _whose(self, notice: Notice) -> str:
        project, key = _plain(notice.body.project_code), _plain(notice.key)
        return f"项目：{project}，编号：{key}" if self.language == "zh" else f"Project: {project}, number: {key}"

    def _because(self, because: str) -> str:
        waited, deaf = _REASONS[self.language]
        known = _UNACKNOWLEDGED.fullmatch(because)
        if known:
            return waited.format(known[1])
        return deaf if because == "no screen listening" else _plain(because)

    def _time(self, notice: Notice, form: str) -> str:
        """Local time at the site; what no calendar holds is shown as it came."""
        try:
            at = datetime.fromtimestamp(notice.at_ns // 1_000_000_000, UTC) + timedelta(minutes=self.utc_offset_min)
        except (OverflowError, ValueError, OSError):
            return f"{notice.at_ns} ns"
        return at.strftime(form)


def read_notice(item: OutboxItem, now_ns: int) -> Notice | None:
    """The row as a notice; None when it is of another kind, or not what such a row holds."""
    if item.kind not in _READABLE:
        return None
    try:
        body = _Body.model_validate_json(item.body)
    except ValidationError:
        return None
    event = body.transition if item.kind == "alarm_transition" else item.kind
    if not event:
        return None
    at_ns = body.observed_at_ns or body.escalated_at_ns or body.sent_at_ns
    late_s = max(0, (now_ns - item.created_at_ns) // 1_000_000_000)
    return Notice(item.key, event, body, at_ns, late_s, item.attempts)


def full_text(notices: Sequence[Notice], wordings: Sequence[Wording]) -> list[str]:
    """The lines of one message: all facts of a single notice, or a count and one line for each of many."""
    lines: list[str] = []
    for wording in wordings:
        if len(notices) == 1:
            lines += wording.details(notices[0])
        else:
            lines += [wording.counts(notices), *(wording.line(notice) for notice in notices)]
    return lines


def short_text(notices: Sequence[Notice], wording: Wording) -> str:
    """One line for a telephone: of many, the count and the gravest."""
    first = min(notices, key=lambda notice: notice.rank)
    line = wording.line(first)
    if len(notices) == 1:
        return line
    counts = wording.counts(notices)
    return f"{counts}；首条：{line}" if wording.language == "zh" else f"{counts}; first: {line}"


def cut_bytes(text: str, limit_bytes: int) -> str:
    """The text, or as much of it as fits into so many UTF-8 bytes, ending in an ellipsis."""
    raw = text.encode()
    if len(raw) <= limit_bytes:
        return text
    return raw[: limit_bytes - 3].decode(errors="ignore") + "…"


def cut_units(text: str, limit_units: int) -> str:
    """The text, or as much of it as fits into so many UTF-16 units (what a short message counts)."""
    raw = text.encode("utf-16-le")
    if len(raw) <= 2 * limit_units:
        return text
    return raw[: 2 * (limit_units - 1)].decode("utf-16-le", errors="ignore") + "…"


def _plain(text: str) -> str:
    """On one line, without control characters: a message's layout is ours alone."""
    return _BREAKS.sub(" ", text).strip()


def _unit(unit: str) -> str:
    return f" {_plain(unit)}" if unit else ""


def _number(text: str | None) -> str:
    """A decimal text as people read it, six significant digits; '' when there is none."""
    try:
        return f"{float(text):.6g}" if text is not None else ""
    except ValueError:
        return _plain(str(text))
