"""What a curve says in words, for those who do not see it: its extremes, its end, its limits, what is unknown.

In: `PointCurve`s and a way to translate. Out: sentences in the visitor's language.
"""

from collections.abc import Callable, Sequence
from typing import Final

from gateway.model.alarm import Severity
from gateway.model.rule import Direction
from gateway.store.curve_excursions import Excursions
from gateway.store.curve_series import Resolution, Unknown
from gateway.web.curve_data import CurveLimit, PointCurve
from screens.formats import age_parts, local_day_time, number, unit_sign

Text = Callable[..., str]
PRIORITIES: Final = {
    Severity.P1: "priority 1",
    Severity.P2: "priority 2",
    Severity.P3: "priority 3",
    Severity.LOG: "diagnostic",
}
UNKNOWN_WORDS: Final = {
    Unknown.MISSING: "no data",
    Unknown.BAD: "bad data",
    Unknown.SUSPECT: "doubtful data",
    Unknown.PARTLY: "partly unknown",
}
SUMMARY: Final = "%(title)s: lowest %(low)s, highest %(high)s, last %(last)s %(unit)s at %(time)s."
NOTHING: Final = "%(title)s: unknown in this span."
UNKNOWN_FOR: Final = "Unknown for %(age)s."
LIMIT: Final = "%(side)s %(limit)s %(unit)s (%(priority)s, %(rule)s): times reached %(times)s, in all %(age)s."
LIMIT_BY_MINUTES: Final = (
    "%(side)s %(limit)s %(unit)s (%(priority)s, %(rule)s): times reached %(times)s, in all at most %(age)s."
)
NOT_REACHED: Final = "%(side)s %(limit)s %(unit)s (%(priority)s, %(rule)s): not reached."
SIDES: Final = {
    Direction.HIGH: "Upper limit",
    Direction.LOW: "Lower limit",
    Direction.EITHER: "Limit of the size",
}
ALL: Final = (
    *(SUMMARY, NOTHING, UNKNOWN_FOR, LIMIT, LIMIT_BY_MINUTES, NOT_REACHED),
    *SIDES.values(),
    *PRIORITIES.values(),
    *UNKNOWN_WORDS.values(),
)
"""Every text of this module, for the test that looks for translations."""


def summary(curve: PointCurve, text: Text, language: str) -> str:
    """A curve in some sentences. `text(msgid, **values)` translates."""
    sentences = [_extremes(curve, text, language)]
    unknown_ns = int((curve.series.unknown_to_ns - curve.series.unknown_from_ns).sum())
    if unknown_ns >= 1_000_000_000:
        sentences.append(text(UNKNOWN_FOR, age=age_text(unknown_ns, text)))
    limits = zip(curve.limits, curve.reached, strict=True)
    sentences += [_limit(curve, limit, reached, text, language) for limit, reached in limits]
    return " ".join(sentences)


def age_text(lasted_ns: int, text: Text) -> str:
    """A duration as its two largest units."""
    return " ".join(f"{count} {text(unit)}" for count, unit in age_parts(lasted_ns / 1e9))


def title_of(titled: CurveLimit | PointCurve, language: str) -> str:
    """A limit's or a point's title in the language."""
    named = titled.point if isinstance(titled, PointCurve) else titled
    return named.title_zh if language == "zh-CN" else named.title_en


def summaries(curves: Sequence[PointCurve], text: Text, language: str) -> list[str]:
    """One a curve."""
    return [summary(curve, text, language) for curve in curves]


def _extremes(curve: PointCurve, text: Text, language: str) -> str:
    title, unit = title_of(curve, language), curve.point.unit
    if curve.last is None:
        return text(NOTHING, title=title)
    last_ns, last = curve.last
    return text(
        SUMMARY,
        title=title,
        low=number(curve.lowest, unit),
        high=number(curve.highest, unit),
        last=number(last, unit),
        unit=unit_sign(unit),
        time=local_day_time(last_ns),
    )


def _limit(curve: PointCurve, limit: CurveLimit, reached: Excursions, text: Text, language: str) -> str:
    values = {
        "side": text(SIDES[limit.direction]),
        "limit": number(limit.value, curve.point.unit),
        "unit": unit_sign(curve.point.unit),
        "priority": text(PRIORITIES[limit.severity]),
        "rule": title_of(limit, language),
    }
    if not reached.times:
        return text(NOT_REACHED, **values)
    by_minutes = any(part.resolution is Resolution.MINUTE for part in curve.series.parts)
    found = LIMIT_BY_MINUTES if by_minutes else LIMIT
    return text(found, **values, times=reached.times, age=age_text(reached.lasted_ns, text))
