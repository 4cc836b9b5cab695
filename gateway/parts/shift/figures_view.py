"""S8, the figures on the alarm system: which window is asked for, what is found, and the lines that a person reads.

In: a wish (a span or two days), the store's reader, the alarms as they stand. Out: `FigureLine`s with their target, how
sure it is, and what they rest on. A figure that is not known has no number.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from gateway.evidence.evidence import RecordKind
from gateway.figures import targets
from gateway.figures.alarm_figures import AlarmFigures, Found, Question, alarm_figures
from gateway.figures.answering import Durations
from gateway.figures.spans import Span, joined, running_spans
from gateway.figures.targets import SECOND_HAND, Standing, Target
from gateway.model.alarm import Alarm, OutOfService, Severity
from gateway.parts.shift.safety_log import DayNotBegunError, log_day
from gateway.store.alarm_reader import AlarmReader
from kit.words import Words

DAY_NS = 86_400_000_000_000
SPANS = {"1d": 1, "7d": 7, "30d": 30, "90d": 90}
"""Days of each choice."""
CUSTOM = "custom"
LONGEST_DAYS = 366
COUNTED_OUR_WAY = Words("计数口径为产品设定", "how it is counted is a product setting")
"""The standard names the figure and leaves open how it is counted."""
_EACH = (Severity.P1, Severity.P2, Severity.P3)


class BadWindowError(ValueError):
    """The wish is no window; the message is for people, in both languages."""

    def __init__(self, words: Words) -> None:
        self.words = words
        super().__init__(words.en)


@dataclass(frozen=True, slots=True)
class Wish:
    """What the form says: a key of `SPANS`, or `custom` with two local days (as texts), both included."""

    span: str = "7d"
    first: str = ""
    last: str = ""


@dataclass(frozen=True, slots=True)
class AsideNow:
    """What calls nobody now, by way of it, and how many of each have no reason."""

    shelved: int
    suppressed: int
    out_of_service: int
    without_reason: int


@dataclass(frozen=True, slots=True)
class FigureLine:
    """One figure. `value` in `unit` ("", "%", "s", "/h"); `n` the cases it rests on (None: none are counted).
    `source` names the document of the target, `also` is said beside it."""

    key: str
    name: Words
    value: float | None
    unit: str
    n: int | None
    target: Target | None = None
    goal: str = ""
    source: str = ""
    decimals: int = 1
    also: Words | None = None

    @property
    def certainty(self) -> str:
        """The code of how sure the target is; empty where there is none."""
        return self.target.certainty if self.target else "M-M" if self.source == SECOND_HAND else ""

    @property
    def standing(self) -> Standing | None:
        """How it stands to its target; None without one."""
        return self.target.judge(self.value) if self.target else None


def window_of(wish: Wish, now_ns: int) -> Span:
    """The span of time that is wished; raises BadWindowError."""
    if wish.span in SPANS:
        return Span(now_ns - SPANS[wish.span] * DAY_NS, now_ns)
    if wish.span != CUSTOM:
        raise BadWindowError(Words("没有这个时间范围", "no such span"))
    try:
        first, last = (log_day(date.fromisoformat(text)) for text in (wish.first, wish.last))
    except (ValueError, DayNotBegunError):
        raise BadWindowError(Words("请填写起止日期", "give the first and the last day")) from None
    span = Span(first.from_ns, min(last.to_ns, now_ns))
    if span.to_ns <= span.from_ns:
        raise BadWindowError(Words("结束日期早于开始日期，或尚未到来", "the last day is before the first, or to come"))
    if span.to_ns - span.from_ns > LONGEST_DAYS * DAY_NS:
        raise BadWindowError(Words(f"最多 {LONGEST_DAYS} 天", f"at most {LONGEST_DAYS} days"))
    return span


def ask(reader: AlarmReader, question: Question, now_ns: int) -> AlarmFigures:
    """Read and count. Blocks: for a thread."""
    starts = reader.starts(RecordKind.STARTED, RecordKind.STOPPED)
    running = joined(running_spans(starts, now_ns))
    episodes = reader.episodes(question.window.from_ns, question.window.to_ns)
    return alarm_figures(question, Found(episodes, running))


def aside_now(alarms: Sequence[Alarm], withheld: Sequence[Alarm], services: Sequence[OutOfService]) -> AsideNow:
    """Counted from the alarms as they stand."""
    shelved = [alarm for alarm in alarms if alarm.shelved]
    suppressed = [alarm for alarm in alarms if alarm.suppressed] + list(withheld)
    bare = [
        *(alarm for alarm in shelved if not alarm.shelve_reason.strip()),
        *(alarm for alarm in suppressed if not alarm.suppressed_by),
        *(service for service in services if not service.reason.strip()),
    ]
    return AsideNow(len(shelved), len(suppressed), len(services), len(bare))


def lines(figures: AlarmFigures, aside: AsideNow) -> list[FigureLine]:
    """Everything in the order of the page."""
    return [
        *_rates(figures),
        *_standing(figures),
        *_tags(figures),
        *_mix(figures),
        *_answers(figures),
        *_aside(aside),
        *_unmeasured(),
    ]


def _rates(figures: AlarmFigures) -> Iterator[FigureLine]:
    n, second = figures.n, SECOND_HAND
    yield FigureLine(
        "per_hour",
        Words("报警率（每岗每小时）", "Alarm rate, per position and hour"),
        figures.per_hour,
        "/h",
        n,
        targets.PER_HOUR,
        "≤ 6 (12)",
        second,
    )
    yield FigureLine(
        "per_ten_minutes",
        Words("报警率（每岗每 10 分钟）", "Alarm rate, per position and 10 min"),
        figures.per_ten_minutes,
        "/10 min",
        n,
        targets.PER_TEN_MINUTES,
        "≤ 1 (2)",
        second,
        2,
    )
    yield FigureLine(
        "peak",
        Words("10 分钟最多报警数（每岗）", "Most alarms in any 10 min, per position"),
        figures.peak_ten_minutes,
        "",
        n,
        targets.PEAK,
        "≤ 10",
        second,
    )
    yield FigureLine(
        "flood_share",
        Words("报警泛滥时段占比（含无报警时段）", "Share of 10-min windows in flood, empty ones counted"),
        _percent(figures.flood.share),
        "%",
        figures.flood.windows,
        _hundred(targets.FLOOD_SHARE),
        "< 1 %",
        second,
        2,
    )


def _standing(figures: AlarmFigures) -> Iterator[FigureLine]:
    yield FigureLine(
        "standing",
        Words("长期存在的报警（超过 24 小时，最多的一天）", "Standing alarms (longer than 24 h), worst day"),
        _number(figures.standing.worst_day),
        "",
        None,
        targets.STANDING,
        "< 5",
        SECOND_HAND,
        0,
    )
    yield FigureLine(
        "standing_now",
        Words("长期存在的报警（时段末）", "Standing alarms at the end of the window"),
        float(figures.standing.at_end),
        "",
        None,
        targets.STANDING,
        "< 5",
        SECOND_HAND,
        0,
    )


def _tags(figures: AlarmFigures) -> Iterator[FigureLine]:
    n, second = figures.n, SECOND_HAND
    yield FigureLine(
        "chattering",
        Words("抖动报警的测点数（60 秒内 3 次及以上）", "Chattering tags (3 or more in 60 s)"),
        float(len(figures.chattering)),
        "",
        n,
        targets.CHATTERING,
        "0",
        second,
        0,
        COUNTED_OUR_WAY,
    )
    yield FigureLine(
        "fleeting",
        Words("瞬间报警（30 秒内自行恢复且未确认）", "Fleeting alarms (over within 30 s, unanswered)"),
        float(figures.fleeting.hits),
        "",
        n,
        targets.FLEETING,
        "0",
        second,
        0,
        COUNTED_OUR_WAY,
    )
    yield FigureLine(
        "bad_actors",
        Words("前 10 个频繁报警源占比", "Share of the ten most frequent tags"),
        _percent(figures.bad_actor_share),
        "%",
        n,
        _hundred(targets.BAD_ACTOR_SHARE),
        "≤ 5 %",
        second,
    )


def _mix(figures: AlarmFigures) -> Iterator[FigureLine]:
    shares = targets.mix_shares(figures)
    for severity, zh, goal in zip(_EACH, ("一级", "二级", "三级"), ("~5 %", "~15 %", "~80 %"), strict=True):
        yield FigureLine(
            f"mix_{severity.lower()}",
            Words(f"{zh}报警占比", f"Share of {severity}"),
            _percent(shares[severity]),
            "%",
            figures.n,
            None,
            goal,
            SECOND_HAND,
        )


def _answers(figures: AlarmFigures) -> Iterator[FigureLine]:
    for severity, zh in zip(_EACH, ("一级", "二级", "三级"), strict=True):
        taken = figures.acknowledged[severity]
        first = severity is Severity.P1
        yield from _durations(
            f"mtta_{severity.lower()}",
            Words(f"{zh}报警确认用时", f"Time to acknowledge {severity}"),
            taken,
            targets.P1_ANSWERED_S if first else None,
            "≤ 120 s" if first else "",
        )
        yield FigureLine(
            f"never_{severity.lower()}",
            Words(f"{zh}报警至今未确认", f"{severity} never acknowledged"),
            float(taken.missing),
            "",
            taken.n + taken.missing,
            decimals=0,
        )
    yield FigureLine(
        "p1_late",
        Words("一级报警 2 分钟未确认占比", "P1 unacknowledged at 2 min"),
        _percent(figures.p1_late.value),
        "%",
        figures.p1_late.n,
        _hundred(targets.P1_LATE),
        "< 5 %",
    )
    yield from _durations("active", Words("报警持续时间", "How long alarms were active"), figures.active, None, "")


def _durations(key: str, name: Words, taken: Durations, target: Target | None, goal: str) -> Iterator[FigureLine]:
    for part, value in (("p50", taken.p50_s), ("p95", taken.p95_s)):
        judged = target if part == "p95" else None
        said = Words(f"{name.zh} {part}", f"{name.en}, {part}")
        yield FigureLine(f"{key}_{part}", said, value, "s", taken.n, judged, goal if judged else "", decimals=0)


def _aside(aside: AsideNow) -> Iterator[FigureLine]:
    told = (
        ("shelved", Words("当前搁置", "Shelved now"), aside.shelved),
        ("suppressed", Words("当前按设计抑制", "Suppressed by design now"), aside.suppressed),
        (
            "out_of_service",
            Words("当前停用的设备、测点", "Devices and points out of service now"),
            aside.out_of_service,
        ),
    )
    for key, name, value in told:
        yield FigureLine(key, name, float(value), "", None, decimals=0)
    yield FigureLine(
        "without_reason",
        Words("其中没有写明原因", "of these without a reason"),
        float(aside.without_reason),
        "",
        None,
        targets.WITHOUT_REASON,
        "0",
        SECOND_HAND,
        0,
    )


def _unmeasured() -> Iterator[FigureLine]:
    """What belongs here and is not measured on this box: unknown, never nought."""
    yield FigureLine(
        "to_screen",
        Words("发现到上屏用时 p95", "Detection to screen, p95"),
        None,
        "s",
        None,
        Target(1, 1, "PD"),
        "< 1 s",
    )
    yield FigureLine(
        "feed_gaps",
        Words("实时推送中断次数", "Gaps of the live feed"),
        None,
        "",
        None,
        Target(0, 0, "PD"),
        "0",
    )


def _percent(share: float | None) -> float | None:
    return None if share is None else 100.0 * share


def _hundred(target: Target) -> Target:
    return Target(100 * target.met, 100 * target.at_most, target.certainty)


def _number(value: int | None) -> float | None:
    return None if value is None else float(value)
