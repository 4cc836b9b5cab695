"""The daily report (监测日报) of a pit as data: what GB 50497-2019 Appendices A to G want on paper.

In: built by whoever can ask the store and the alarms. Out: read by the layout. Nothing here has a likely value: a
number that is not known is NaN, a text that is not known is empty, and both are printed as 未知.
"""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from math import isfinite, nan

from gateway.parts.pit.forecast.forecast import Forecast, Stage
from gateway.parts.pit.model.items import PitItem


class Form(StrEnum):
    """The appendix whose form a table follows (GB 50497-2019, table of contents V1). Items that our source does not
    assign to one are OTHER: the appendix is to be confirmed."""

    A = "A"
    B = "B"
    C = "C"
    D = "D"
    E = "E"
    F = "F"
    G = "G"
    OTHER = "other"


FORM_OF: dict[PitItem, Form] = {
    PitItem.WALL_TOP_HORIZONTAL: Form.A,
    PitItem.WALL_TOP_VERTICAL: Form.A,
    PitItem.DEEP_HORIZONTAL: Form.B,
    PitItem.WALL_FORCE: Form.C,
    PitItem.COLUMN_FORCE: Form.C,
    PitItem.EARTH_PRESSURE: Form.C,
    PitItem.PORE_PRESSURE: Form.C,
    PitItem.STRUT_FORCE: Form.D,
    PitItem.ANCHOR_FORCE: Form.D,
    PitItem.GROUNDWATER: Form.E,
    PitItem.GROUND_SETTLEMENT: Form.E,
    PitItem.LAYERED_SOIL: Form.E,
    PitItem.BASE_HEAVE: Form.E,
    PitItem.BUILDING_CRACK: Form.F,
    PitItem.GROUND_CRACK: Form.F,
}


class Level(StrEnum):
    """How far a point is on the product's ladder (standards 2.6, PD)."""

    UNKNOWN = "unknown"
    NORMAL = "normal"
    ATTENTION = "attention"
    WARNING = "warning"
    ALARM = "alarm"
    DANGER = "danger"


class ReadingState(StrEnum):
    """What today's reading is worth. MISSING: there was none."""

    GOOD = "good"
    SUSPECT = "suspect"
    BAD = "bad"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Control:
    """The control values of one point, in the table's units, with where they come from. NaN: not set.

    `lower` is for what must not fall (a strut's force); `source` is a limit source such as `design`, `clause` and
    `certainty` (0.1 of the domain reference) travel with the numbers.
    """

    cumulative: float = nan
    lower: float = nan
    rate_per_day: float = nan
    source: str = ""
    clause: str = ""
    certainty: str = ""

    @property
    def is_set(self) -> bool:
        """Whether there is anything to judge by."""
        return any(isfinite(value) for value in (self.cumulative, self.lower, self.rate_per_day))


@dataclass(frozen=True, slots=True)
class PointRow:
    """One point of one item on this day. Numbers are in the table's unit, the rate in that a day."""

    name: str
    level: Level
    reading: ReadingState
    previous: float = nan
    current: float = nan
    change: float = nan
    cumulative: float = nan
    rate_per_day: float = nan
    depth_m: float = nan
    control: Control = Control()
    remark: str = ""

    @property
    def shown_level(self) -> Level:
        """What may be printed. NORMAL needs a good reading today, a known cumulative value and a control value."""
        proven = self.reading is ReadingState.GOOD and isfinite(self.current) and isfinite(self.cumulative)
        if self.level is Level.NORMAL and not (proven and self.control.is_set):
            return Level.UNKNOWN
        return self.level


@dataclass(frozen=True, slots=True)
class ItemTable:
    """All points of one item. `decimals` is how the item's numbers are printed; `instrument` is what measured them."""

    item: PitItem
    rows: tuple[PointRow, ...]
    decimals: int = 2
    instrument: str = ""

    @property
    def form(self) -> Form:
        """The appendix it follows."""
        return FORM_OF.get(self.item, Form.OTHER)


@dataclass(frozen=True, slots=True)
class ForecastRow:
    """The early warning of one point."""

    point: str
    item: PitItem
    forecast: Forecast

    @property
    def notable(self) -> bool:
        """Whether it says more than that nothing moves."""
        return isfinite(self.forecast.failure_high_h) or self.forecast.stage > Stage.STEADY


@dataclass(frozen=True, slots=True)
class Weather:
    """The day's weather as it was reported."""

    text: str = ""
    lowest_c: float = nan
    highest_c: float = nan
    rain_mm: float = nan


@dataclass(frozen=True, slots=True)
class Works:
    """How far the works are (工况)."""

    stage: str = ""
    excavated_m: float = nan
    design_depth_m: float = nan
    grade: str = ""


@dataclass(frozen=True, slots=True)
class Heading:
    """Whose report it is. `number` is the count of reports of this pit; `prepared_at` is aware."""

    project: str
    pit: str
    pit_title: str
    day: date
    number: int
    prepared_at: datetime
    project_code: str = ""
    monitoring_unit: str = ""
    box: str = ""


@dataclass(frozen=True, slots=True)
class PatrolLine:
    """One thing to look at on the patrol (附录G); an empty finding is left to be written by hand."""

    place: str
    look_at: str
    finding: str = ""


@dataclass(frozen=True, slots=True)
class DailyReport:
    """One day of one pit."""

    heading: Heading
    weather: Weather
    works: Works
    tables: tuple[ItemTable, ...]
    forecasts: tuple[ForecastRow, ...] = ()
    patrol: tuple[PatrolLine, ...] = ()
    remarks: str = ""

    def count(self, level: Level) -> int:
        """How many points are shown at this level."""
        return sum(row.shown_level is level for table in self.tables for row in table.rows)
