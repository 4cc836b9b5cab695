"""A deep pit as its papers describe it: depth, grade, stage, monitoring points, and what the designer allows them.

In: built by the settings. Out: read by the pit's models and by what makes rules of it. Plain frozen data: no limits of
its own, no state. A thing that nobody has said is None, never a likely value.
"""

from dataclasses import dataclass, field
from enum import IntEnum, StrEnum

from gateway.parts.pit.model.instrument import Instrument
from gateway.parts.pit.model.items import ITEMS, DesignShare, ItemFacts, PitItem, PitStructure
from gateway.parts.pit.model.reading_quality import QualityGates
from gateway.parts.pit.model.robust_rate import RateWindow


class SafetyGrade(IntEnum):
    """Safety grade of the support (支护结构安全等级), JGJ 120-2012 3.1.3 (M-H). FIRST: the gravest consequences."""

    FIRST = 1
    SECOND = 2
    THIRD = 3


class PitTrade(StrEnum):
    """Whose frequency table counts: GB 50497-2019 for building works, GB 50911-2013 for urban rail by open cut."""

    BUILDING = "building"
    URBAN_RAIL = "urban-rail"


@dataclass(frozen=True, slots=True)
class ControlValue:
    """What the designer (or whoever `limit_source` names) allows at one point; None: not said.

    `cumulative` and `rate_per_day` are in the item's unit; `cumulative_pct_depth` in per cent of the pit's design
    depth. The design loads f1, f2, fy are in the item's unit. `limit_source`, `clause` and `certainty` travel with it.
    """

    limit_source: str
    clause: str
    certainty: str
    cumulative: float | None = None
    cumulative_pct_depth: float | None = None
    rate_per_day: float | None = None
    design_f1: float | None = None
    design_f2: float | None = None
    preload_fy: float | None = None

    def design(self, share: DesignShare) -> float | None:
        """The design value that a load is compared with, None when it was not given."""
        values = {DesignShare.F1: self.design_f1, DesignShare.F2: self.design_f2, DesignShare.FY: self.preload_fy}
        return values[share]


class BaselineKind(StrEnum):
    """INITIAL: the zero survey. RE_ZERO: the same sensor counts anew. REPLACED: another sensor goes on counting."""

    INITIAL = "initial"
    RE_ZERO = "re_zero"
    REPLACED = "replaced"


@dataclass(frozen=True, slots=True)
class Baseline:
    """From where a point counts, since `at_ns` (UTC ns), on whose word and why.

    cumulative = carried + sign * (measured - zero). `zero` None: the mean of the first `readings` usable readings
    after `at_ns`. `carried` None: what the point had reached before for REPLACED, else 0.
    """

    kind: BaselineKind
    at_ns: int
    by: str
    reason: str
    zero: float | None = None
    carried: float | None = None
    readings: int = 3


@dataclass(frozen=True, slots=True)
class PitPoint:
    """One monitoring point (测点). `name` is unique in the pit; its derived point is `<asset>.<name>`.

    `depth_m` is below ground, positive downwards. `sign` -1 turns an instrument's direction, so that positive is what
    the item's limit is for (towards the pit, settlement). Readings are `reading_interval_s` apart (0: every sample is
    one, as for a surveyor's). `neighbours` are names of points; points of one `line` (section, 断面) are related.
    `rising_per_day`: from this rate on the point is said to rise (PD). `baselines` are in order of time; a load without
    any counts from 0, a movement without any is unknown. A reading is good for `valid_for_s`. `required_every_h`: how
    often the monitoring scheme wants it read, None: as the frequency table says.
    """

    name: str
    item: PitItem
    source: Instrument
    title_zh: str
    title_en: str
    structure: PitStructure = PitStructure.OTHER
    depth_m: float | None = None
    sign: int = 1
    baselines: tuple[Baseline, ...] = ()
    neighbours: tuple[str, ...] = ()
    line: str = ""
    reading_interval_s: float = 0.0
    valid_for_s: float = 3 * 86_400.0
    required_every_h: float | None = None
    rising_per_day: float = 0.5
    control: ControlValue | None = None
    rate: RateWindow = field(default_factory=RateWindow)
    gates: QualityGates = field(default_factory=QualityGates)

    @property
    def facts(self) -> ItemFacts:
        """Titles, unit and nature of its item."""
        return ITEMS[self.item]


@dataclass(frozen=True, slots=True)
class PitStage:
    """How far the works are. `excavated_point` names the point that says the excavated depth, metres; without one
    (empty) `excavated_m` is what was last written down. `base_slab_cast_ns`: when the base slab was cast, UTC ns."""

    excavated_m: float | None = None
    excavated_point: str = ""
    base_slab_cast_ns: int | None = None


@dataclass(frozen=True, slots=True)
class PitDescription:
    """One pit. `design_depth_m` is H of the limit tables; without it whoever judges has to abstain where H counts.
    `rain_point` is the id of the point that counts the fallen rain, mm in all; empty: there is no gauge.

    `third_party_monitored` None: nobody has said whether an independent unit monitors it.
    """

    asset: str
    points: tuple[PitPoint, ...]
    design_depth_m: float | None = None
    grade: SafetyGrade | None = None
    trade: PitTrade = PitTrade.BUILDING
    stage: PitStage = field(default_factory=PitStage)
    third_party_monitored: bool | None = None
    rain_point: str = ""

    def point(self, name: str) -> PitPoint:
        """The point of this name. Raises KeyError when there is none."""
        for point in self.points:
            if point.name == name:
                return point
        raise KeyError(name)
