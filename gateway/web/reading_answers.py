"""What the API answers about points, values and curves. Models of the published schema; they cost no time at run time.

Long columns stand beside one another: the first of `t_ms` is the time of the first of `low`.
"""

from typing import Annotated, Literal

from pydantic import Field

from gateway.web.answer_fields import (
    AlarmIdText,
    AssetText,
    CertaintyText,
    ClauseText,
    Ns,
    PointText,
    RuleIdText,
    SeverityText,
    SourceText,
    TitleEn,
    TitleZh,
    UnitText,
)
from screens.published import Answer

Ms = Annotated[int, Field(description="Milliseconds after `from_ms`", examples=[250])]
Column = Annotated[list[float | None], Field(description="Values; null: unknown", examples=[[52.5, None, 117.0]])]


class PointRow(Answer):
    """A point with its value now; a stale or bad value is unknown."""

    point_id: PointText
    asset: AssetText
    title_zh: TitleZh
    title_en: TitleEn
    derived: Annotated[bool, Field(description="Computed by the box from other points")]
    unit: UnitText
    value: Annotated[float | None, Field(description="null: unknown", examples=[52.5])]
    quality: Literal["GOOD", "SUSPECT", "BAD", "UNKNOWN"]
    age_s: Annotated[float | None, Field(description="Seconds since it was heard; null: never", examples=[0.25])]
    observed_at_ns: Ns


class PointsAnswer(Answer):
    """Every point with its value now."""

    at_ns: Ns
    points: list[PointRow]


class AssetRow(Answer):
    """A crane, a pit or another asset of the site."""

    asset: AssetText
    kind: Annotated[str, Field(examples=["tower-crane"])]
    title_zh: TitleZh
    title_en: TitleEn


class AssetsAnswer(Answer):
    """The site and its assets."""

    box_id: Annotated[str, Field(examples=["box-1"])]
    site_zh: Annotated[str, Field(examples=["城北工地"])]
    site_en: Annotated[str, Field(examples=["North site"])]
    assets: list[AssetRow]


class HistoryAnswer(Answer):
    """Samples of one point: raw ones with `value` and `decimated`, minutes with `low`, `high`, `mean` and `count`."""

    point: PointText
    t_ns: Annotated[list[int], Field(description="Times", examples=[[1_767_225_600_000_000_000]])]
    quality: Annotated[list[int], Field(description="0 good, 1 doubtful, 2 bad", examples=[[0]])]
    decimated: Annotated[bool | None, Field(description="Only the peaks are left of a long span")] = None
    value: Annotated[list[float | None] | None, Field(examples=[[52.5]])] = None
    low: Annotated[list[float | None] | None, Field(examples=[None])] = None
    high: Annotated[list[float | None] | None, Field(examples=[None])] = None
    mean: Annotated[list[float | None] | None, Field(examples=[None])] = None
    count: Annotated[list[int] | None, Field(examples=[None])] = None


class LiveCell(Answer):
    """What one place of a screen shows."""

    t: Annotated[str, Field(description="The text; empty when unknown", examples=["52.5"])]
    s: Annotated[Literal["ok", "P3", "P2", "P1", "unknown"], Field(description="How it stands")]
    a: Annotated[float | None, Field(description="Age, seconds")] = None
    f: Annotated[float | None, Field(description="Share of the bar, 0 to 1", examples=[0.5])] = None
    b: Annotated[float | None, Field(description="Degrees to turn the jib", examples=[None])] = None
    r: Annotated[float | None, Field(description="Trolley, drawing units", examples=[None])] = None
    x: Annotated[float | None, Field(description="Axis, drawing units", examples=[None])] = None
    y: Annotated[float | None, Field(description="Axis, drawing units", examples=[None])] = None


class LiveSound(Answer):
    """How many alarms call: not acknowledged, not shelved, in service, not suppressed."""

    p1: int
    p2: int


class LiveEscalation(Answer):
    """When a P1 that nobody has acknowledged is told to somebody else."""

    alarm_id: AlarmIdText
    in_s: int
    to: Annotated[list[str], Field(description="Uplinks", examples=[["sms"]])]
    done: bool


class LiveAnswer(Answer):
    """Everything that changes by itself."""

    at_ns: Ns
    config: Annotated[str, Field(description="Digest of the settings in force", examples=["9f86d081884c7d65"])]
    store_failing: bool
    cells: Annotated[dict[str, LiveCell], Field(description="By the cell's id, such as `crane-1.moment_pct`")]
    sound: LiveSound
    escalation: list[LiveEscalation]


class CurveMark(Answer):
    """When the alarm rose, was acknowledged and returned."""

    kind: Literal["raised", "acknowledged", "returned"]
    severity: SeverityText
    t_ms: Ms


class CurvePart(Answer):
    """What a part of the span is made of."""

    resolution: Literal["raw", "minute"]
    from_ms: Ms
    to_ms: Ms
    each_s: Annotated[float, Field(description="Seconds that a column stands for", examples=[0.0])]


class CurveLimitRow(Answer):
    """A limit line; a limit of a size has two values."""

    rule_id: RuleIdText
    severity: SeverityText
    direction: Literal["high", "low", "either"]
    values: Annotated[list[float], Field(examples=[[100.0]])]
    title_zh: TitleZh
    title_en: TitleEn
    source: SourceText
    clause: ClauseText
    certainty: CertaintyText
    gated: Annotated[bool, Field(description="It counts only while other conditions hold")]
    sealed: Annotated[bool, Field(description="As it was when an alarm rose")]


class CurveEpisode(Answer):
    """An alarm about the point; `to_ms` is null while it is active."""

    alarm_id: AlarmIdText
    severity: SeverityText
    title_zh: TitleZh
    title_en: TitleEn
    from_ms: Ms
    to_ms: Ms | None
    acknowledged: bool


class CurveEnd(Answer):
    """The newest known reading of the span."""

    t_ms: Ms
    value: Annotated[float | None, Field(examples=[52.5])]


class CurveSeriesRow(Answer):
    """One point's curve. Of raw readings `high` and `mean` are null: they are what `low` is."""

    point: PointText
    asset: AssetText
    title_zh: TitleZh
    title_en: TitleEn
    unit: UnitText
    decimals: int
    stale_after_s: float
    parts: list[CurvePart]
    t_ms: Annotated[list[int], Field(description="Milliseconds after `from_ms`", examples=[[0, 250, 500]])]
    low: Column
    high: Column | None
    mean: Column | None
    starts: Annotated[list[int], Field(description="Indices where a line begins anew", examples=[[0]])]
    unknown: Annotated[
        list[tuple[int, int, Literal["missing", "bad", "suspect", "partly"]]],
        Field(description="From, to (ms) and why nothing is known", examples=[[[600, 900, "missing"]]]),
    ]
    limits: list[CurveLimitRow]
    episodes: list[CurveEpisode]
    last: CurveEnd | None
    lowest: Annotated[float | None, Field(examples=[52.5])]
    highest: Annotated[float | None, Field(examples=[117.0])]


class CurveAnswer(Answer):
    """Up to four curves over one span, with limits, alarms and what is unknown."""

    from_ms: Annotated[int, Field(description="Milliseconds since 1970, UTC", examples=[1_767_225_600_000])]
    to_ms: Annotated[int, Field(description="Milliseconds since 1970, UTC", examples=[1_767_229_200_000])]
    now_ms: Annotated[int, Field(description="The box's time now", examples=[1_767_229_200_000])]
    live: Annotated[bool, Field(description="The span ends now")]
    summaries: Annotated[list[str], Field(description="Each curve in words", examples=[["Moment: lowest 52.5 %."]])]
    marks: list[CurveMark]
    series: list[CurveSeriesRow]
