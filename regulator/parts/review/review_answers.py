"""What the review desk's API answers, as models of the published schema. `regulator.parts.review.review_rows`
makes them."""

from typing import Annotated, Literal

from pydantic import Field

from screens.published import Answer

ItemIdText = Annotated[str, Field(description="The item's id", examples=["0f3a9c5e7b1d42688a90c1d2"])]
Ms = Annotated[int, Field(description="Milliseconds since 1970, UTC", examples=[1_767_225_600_000])]
SpanMs = Annotated[int, Field(description="Milliseconds from now", examples=[300_000])]
LocalTime = Annotated[str, Field(description="The time at the site; empty: not yet", examples=["2026-03-01 08:00:00"])]
Text = Annotated[str, Field(description="Empty: nothing to say", examples=[""])]
NumberText = Annotated[str, Field(description="A number as text; empty: unknown", examples=["117"])]
HazardIdText = Annotated[str, Field(description="The hazard that it became; empty: none", examples=[""])]


class QueueRow(Answer):
    """One alarm that waits for a verdict."""

    id: ItemIdText
    place: Annotated[str, Field(description="Where it stands; `after` of a query", examples=["1.0.0.0f3a9c5e7b1d"])]
    project: Annotated[str, Field(description="The project's name", examples=["一号工地"])]
    project_code: Annotated[str, Field(examples=["GD-4401-001"])]
    severity: Annotated[str, Field(description="P1 is the gravest", examples=["P1"])]
    title_zh: Annotated[str, Field(examples=["力矩超限"])]
    title_en: Annotated[str, Field(examples=["Moment beyond its limit"])]
    source: Annotated[str, Field(description="The camera, device or point", examples=["crane-1.moment_pct"])]
    rule: Annotated[str, Field(examples=["crane.moment.alarm"])]
    stage: Annotated[str, Field(description="Why it is put before a person", examples=["priority"])]
    risks: list[Annotated[str, Field(examples=["overdue_hazards"])]]
    raised_ms: Ms
    raised: LocalTime
    group: Annotated[str, Field(description="What it may be judged together with", examples=["box-1/crane-1"])]
    group_size: int
    held_by: Annotated[str, Field(description="Who else looks at it; empty: nobody", examples=[""])]
    seen: bool
    acknowledged_by: list[Annotated[str, Field(examples=["凌一"])]]


class QueueAnswer(Answer):
    """A page of the queue, the most urgent first."""

    rows: list[QueueRow]
    next: Annotated[str, Field(description="`after` of the next page; empty: this is the last", examples=[""])]
    waiting: Annotated[dict[str, int], Field(description="How many wait, by severity", examples=[{"P1": 3}])]
    now_ms: Ms


class AlarmFacts(Answer):
    """The alarm as the box said it."""

    id: Annotated[str, Field(examples=["0f3a9c5e7b1d42688a90c1d2e3f40516"])]
    box: Annotated[str, Field(examples=["box-1"])]
    subject: Annotated[str, Field(examples=["crane-1.moment_pct"])]
    asset: Annotated[str, Field(examples=["crane-1"])]
    measured: NumberText
    limit: NumberText
    unit: Annotated[str, Field(examples=["%"])]
    limit_source: Annotated[str, Field(examples=["national_standard"])]
    clause: Annotated[str, Field(examples=["GB 5144-2006 6.3.2"])]
    certainty: Annotated[str, Field(description="How sure the citation is, a code", examples=["V1"])]
    basis_zh: Text
    basis_en: Text
    suspected: Annotated[str, Field(description="The criterion that it may fulfil; empty: none", examples=[""])]
    suspected_zh: Text
    suspected_en: Text
    active: bool
    acknowledged: LocalTime
    returned: LocalTime
    handed_over: LocalTime
    late: bool
    unsealed: Annotated[bool, Field(description="Told while the box's disk took no records; its record has not come")]


class PictureFacts(Answer):
    """A picture or clip of an alarm."""

    media_class: Annotated[str, Field(alias="class", examples=["alarm_still"])]
    url: Annotated[str, Field(description="Where its bytes are", examples=["/media/9f86d081884c7d65"])]
    type: Annotated[str, Field(examples=["image/jpeg"])]
    at: LocalTime
    at_ms: Ms
    duration_ms: int
    size: Annotated[list[int], Field(description="Width, height, pixels", examples=[[1920, 1080]])]
    boxes: Annotated[
        list[list[int]],
        Field(description="x1, y1, x2, y2, class, score in thousandths, track", examples=[[[1, 2, 30, 40, 0, 913, 7]]]),
    ]
    versions: Annotated[dict[str, str], Field(description="Of model and rules", examples=[{"model": "1"}])]
    sha256: Annotated[str, Field(examples=["9f86d081884c7d65"])]
    blurred: bool


class SpanFacts(Answer):
    """A stretch of time with its curve."""

    name: Literal["close", "wide"]
    from_ms: Ms
    to_ms: Ms
    curve: Annotated[str, Field(examples=["/review/items/0f3a9c5e7b1d42688a90c1d2/curve.svg?span=wide"])]


class RateFacts(Answer):
    """The share of false alarms of this source and rule, percent, with its 95 % interval."""

    value: int
    low: int
    high: int
    n: int
    indicative: bool


class DossierAnswer(QueueRow):
    """All that is known of one alarm that waits."""

    alarm: AlarmFacts
    pictures: list[PictureFacts]
    spans: list[SpanFacts]
    plot: Annotated[
        list[int],
        Field(description="A curve's left, right, top, bottom, width, height", examples=[[60, 900, 9, 280, 920, 300]]),
    ]
    in_a_day: int
    rate: RateFacts | None
    came_back: Text
    hazard_id: HazardIdText


class LeaseAnswer(Answer):
    """Who looks at an item now, and for how long nobody else is shown it first."""

    id: ItemIdText
    name: Annotated[str, Field(examples=["凌一"])]
    for_ms: SpanMs
    lease_ms: SpanMs


class DoneAnswer(Answer):
    """What was done, and to which items."""

    items: list[ItemIdText]
    new: Annotated[bool | None, Field(description="Acknowledged for the first time")] = None
    until: Annotated[str | None, Field(description="Put aside until", examples=["2026-03-01 12:00:00"])] = None


class JudgedAnswer(Answer):
    """A verdict that was kept."""

    id: ItemIdText
    state: Literal["open", "provisional", "final"]
    undo_ms: SpanMs
    hazard_id: HazardIdText


class SheetItem(Answer):
    """A picture of a sheet."""

    id: ItemIdText
    thumbnail: Annotated[str, Field(examples=["/review/items/0f3a9c5e7b1d42688a90c1d2/thumbnail"])]


class SheetAnswer(Answer):
    """Alarms that may be judged together."""

    id: ItemIdText
    items: list[SheetItem]
    undo_ms: SpanMs


class SheetJudgedAnswer(Answer):
    """Verdicts of a sheet."""

    items: list[JudgedAnswer]


class UndoneAnswer(Answer):
    """How many verdicts were taken back."""

    undone: int


class LabelClass(Answer):
    """A class of boxes."""

    id: int
    name: Annotated[str, Field(examples=["helmet"])]


class LabelsFile(Answer):
    """Labels of judged pictures in COCO's format for object detection."""

    info: Annotated[dict[str, str], Field(examples=[{"version": "1"}])]
    categories: list[LabelClass]
    images: Annotated[
        list[dict[str, object]],
        Field(description="As COCO has them, with the verdict", examples=[[{"id": 1, "width": 1920, "height": 1080}]]),
    ]
    annotations: Annotated[
        list[dict[str, object]],
        Field(description="Boxes, as COCO has them", examples=[[{"id": 1, "image_id": 1, "bbox": [1, 2, 3, 4]}]]),
    ]
