"""The shape of a pack's pit limits: a code's table of warning values, and the rows that are made of each value.

In: plain data. Out: frozen models. Knows nothing of files and pits. The docstrings below are what editors show.

A figure carries its own certainty, because a table is rarely as sure in all its cells. Of a range the lower end counts
(a product design, the strict side); the upper end is kept beside it so that a reader sees what the code allows.
"""

from typing import Annotated, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from gateway.model.alarm import Severity
from gateway.parts.pit.model.description import SafetyGrade
from gateway.parts.pit.model.items import PitItem, PitStructure
from gateway.settings.rule_shape import HazardCode
from gateway.settings.schema import Certainty, LimitSource, Seconds, SettingsModel, Title, certainty_fits

Words = Annotated[str, Field(min_length=1, max_length=150)]
RowPart = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,20}$")]


class Figure(SettingsModel):
    """One figure of a table and how sure it is."""

    value: Annotated[float, Field(gt=0)]
    """The figure; of a range its strict end, which is the one that counts."""
    to: Annotated[float, Field(gt=0)] | None = None
    """The other end of the range, for the reader."""
    certainty: Certainty
    """How sure the figure is."""


class PitCell(SettingsModel):
    """What a table allows one item of one structure at one safety grade."""

    cumulative: Figure | None = None
    """Cumulative value, in the item's unit."""
    pct_depth: Figure | None = None
    """Cumulative value in per cent of the design depth; the smaller of the two counts."""
    rate: Figure | None = None
    """Rate in the item's unit per day."""
    pct_f1: Figure | None = None
    """Load in per cent of its design value f1."""
    pct_f2: Figure | None = None
    """Force in per cent of the member's capacity f2."""
    pct_fy_low: Figure | None = None
    """Force in per cent of the preload fy, below which it must not fall."""


class PitLimitSettings(SettingsModel):
    """The limits of one item in one code, by structure and grade."""

    item: PitItem
    """The monitored item."""
    structures: Annotated[tuple[PitStructure, ...], Field(min_length=1)] | None = None
    """What the point sits on; without it, anything."""
    limit_source: LimitSource
    """Whose table it is."""
    clause: Words
    """Standard and table."""
    every_grade: PitCell | None = None
    """The same for every safety grade."""
    grade_1: PitCell | None = None
    """Safety grade 1."""
    grade_2: PitCell | None = None
    """Safety grade 2."""
    grade_3: PitCell | None = None
    """Safety grade 3."""

    @model_validator(mode="after")
    def _certainties_fit(self) -> "PitLimitSettings":
        for cell in (self.every_grade, self.grade_1, self.grade_2, self.grade_3):
            for name in PitCell.model_fields:
                figure: Figure | None = getattr(cell, name, None)
                if figure is not None and not certainty_fits(self.limit_source, figure.certainty):
                    context = {"source": self.limit_source.value, "certainty": figure.certainty}
                    raise PydanticCustomError("rule.certainty", "certainty and limit_source disagree", context)
        return self

    def cells(self, grade: SafetyGrade | None) -> tuple[PitCell, ...]:
        """The cells that hold at this grade; every grade's, when nobody has said which it is."""
        by_grade = {1: self.grade_1, 2: self.grade_2, 3: self.grade_3}
        wanted = by_grade.values() if grade is None else (by_grade[grade],)
        return tuple(cell for cell in (self.every_grade, *wanted) if cell is not None)


class Side(SettingsModel):
    """One of the two ways in which a value can be wrong."""

    id: RowPart
    """What rule ids call it, in the place of `cumulative`."""
    title_zh: Title
    """Chinese name."""
    title_en: Title
    """English name."""


class PitItemSettings(SettingsModel):
    """How values of one item are judged, beyond their limits."""

    item: PitItem
    """The monitored item."""
    sides: Literal["either", "high", "both"] = "either"
    """either: a size counts, whatever its sign. high: only positive values. both: rising and falling are two rules."""
    high: Side | None = None
    """With both: the positive side."""
    low: Side | None = None
    """With both: the negative side."""
    hazard: HazardCode | None = None
    """The major accident hazard that a value at its control value makes suspected."""
    danger: Words | None = None
    """The clause of the immediate danger alarm (危险报警) that a value in the danger band may show."""

    @model_validator(mode="after")
    def _both_sides_are_named(self) -> "PitItemSettings":
        if (self.sides == "both") != (self.high is not None and self.low is not None):
            raise PydanticCustomError("pit.sides", "both sides need names", {"item": self.item.value})
        return self


class PitRowSettings(SettingsModel):
    """One row that is made of a limit: which share of it, how grave, how slow."""

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,20}\.[a-z][a-z0-9_]{0,20}$")]
    """The end of the rule's id: `pit.<item>.<this>`."""
    replaces: bool = False
    """Whether it takes the place of an earlier pack's row of the same id."""
    of: Literal["cumulative", "rate", "day_rate", "load_high", "load_low"]
    """Which limit: of the cumulative value, of the rate, of the rate as the change over a day, of a load as a share of
    its design value, of its preload."""
    ratio: Annotated[float, Field(gt=0, le=10)]
    """The share of the limit. For load_low the limit is divided by it."""
    rising: bool = False
    """Count only while neighbouring points or related items rise together."""
    danger: bool = False
    """Whether the item's danger clause belongs to it."""
    times: Annotated[int, Field(ge=2, le=100)] | None = None
    """So many readings in a row, instead of one value."""
    spacing_s: Annotated[float, Field(ge=0, le=604_800)] = 3600.0
    """With times: values closer together are one reading, seconds."""
    gap_s: Annotated[float, Field(gt=0, le=2_419_200)] = 172_800.0
    """With times: the longest time between good values, seconds."""
    suppressed_while: tuple[str, ...] = ()
    """Rows of the same limit that are graver: while one of them is active at the same point, this one's alarm is
    suppressed by design."""
    severity: Severity
    """P1 is the gravest."""
    reportable: bool
    """Whether its alarms go to the regulator."""
    suspected: bool = False
    """Whether a hit makes the item's hazard suspected."""
    title_zh: Title
    """Chinese name, put behind the item's."""
    title_en: Title
    """English name, put behind the item's."""
    clause: Words
    """Where the share comes from."""
    certainty: Certainty
    """How sure the share is."""
    deadband: Annotated[float, Field(ge=0, lt=1)] = 0.05
    """How far back behind its limit a value must go, as a share of that limit."""
    on_delay_s: Seconds = 0.0
    """How long the condition must hold before the alarm, seconds."""
    off_delay_s: Seconds = 0.0
    """How long the condition must be gone before the alarm returns, seconds."""


class PostSlab(SettingsModel):
    """What becomes of a table's rate once the base slab is cast."""

    ratio: Annotated[float, Field(gt=0, le=1)]
    """The share of the table's rate that is still allowed."""
    clause: Words
    """Where it comes from."""
    certainty: Certainty
    """How sure it is."""


class PitTables(SettingsModel):
    """All that a pack says of pit limits."""

    limits: tuple[PitLimitSettings, ...] = ()
    """Limits by item, structure and grade. Of several codes the stricter counts."""
    items: tuple[PitItemSettings, ...] = ()
    """How the values of an item are judged; an item that is not here is judged by its size."""
    rows: tuple[PitRowSettings, ...] = ()
    """The rows that are made of each limit."""
    post_slab: PostSlab | None = None
    """The rate once the base slab is cast; it is for codes' rates, a designer says his own."""
