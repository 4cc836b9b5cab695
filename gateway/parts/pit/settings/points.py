"""One monitoring point of a pit in the site file, and what may be said of it: control values, rate, quality, baselines.

In: plain data. Out: frozen models that build what `gateway.parts.pit.model` takes. Knows no instruments, files and
lines.
"""

from datetime import UTC, datetime, timedelta
from typing import Annotated

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from gateway.parts.pit.model.description import Baseline, BaselineKind, ControlValue
from gateway.parts.pit.model.items import ItemFacts, PitItem, PitStructure
from gateway.parts.pit.model.reading_quality import QualityGates
from gateway.parts.pit.model.robust_rate import RateWindow
from gateway.parts.pit.settings.instruments import point_id
from gateway.settings.schema import (
    Certainty,
    LimitSource,
    Name,
    SettingsModel,
    Title,
    certainty_fits,
    least_certainty,
)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _moment(written: str) -> str:
    """A time that means the same everywhere: ISO 8601 with an offset."""
    try:
        moment = datetime.fromisoformat(written)
    except ValueError:
        moment = datetime.min
    if moment.tzinfo is None:
        raise PydanticCustomError("time.offset", "time without an offset", {"found": written})
    return written


Moment = Annotated[str, AfterValidator(_moment)]
"""ISO 8601 with offset, such as 2026-03-01T09:30:00+08:00."""
Positive = Annotated[float, Field(gt=0)]


def moment_ns(written: str) -> int:
    """A `Moment` as UTC ns, exact to the microsecond."""
    return (datetime.fromisoformat(written) - _EPOCH) // timedelta(microseconds=1) * 1000


HAND_SUFFIX = "_hand"
"""A surveyor's readings of a point are points of this name."""


class ControlSettings(SettingsModel):
    """What the designer allows at this point (GB 50497-2019 8.0.1: warning values are set by the designer)."""

    cumulative: Positive | None = None
    """Largest cumulative value, in the item's unit."""
    cumulative_pct_depth: Annotated[float, Field(gt=0, le=100)] | None = None
    """The same as per cent of the design depth; the smaller of both counts."""
    rate_per_day: Positive | None = None
    """Largest rate, in the item's unit per day."""
    design_f1: Positive | None = None
    """Design value of the load f1, in the item's unit."""
    design_f2: Positive | None = None
    """Capacity of the member f2, in the item's unit."""
    preload_fy: Positive | None = None
    """Preload fy of a strut or an anchor, in the item's unit."""
    limit_source: LimitSource = LimitSource.DESIGN
    """Who set it."""
    clause: Annotated[str, Field(min_length=1, max_length=300)]
    """The document and page."""
    certainty: Certainty | None = None
    """How sure that is; without it SITE, PD or M-L, as fits `limit_source`."""

    @model_validator(mode="after")
    def _certainty_fits_source(self) -> "ControlSettings":
        if self.certainty is not None and not certainty_fits(self.limit_source, self.certainty):
            words = {"source": self.limit_source.value, "certainty": self.certainty}
            raise PydanticCustomError("rule.certainty", "certainty and limit_source disagree", words)
        return self

    def build(self) -> ControlValue:
        """As the description has it."""
        return ControlValue(
            self.limit_source.value,
            self.clause,
            self.certainty or least_certainty(self.limit_source),
            self.cumulative,
            self.cumulative_pct_depth,
            self.rate_per_day,
            self.design_f1,
            self.design_f2,
            self.preload_fy,
        )


class RateSettings(SettingsModel):
    """Over which readings a point's rate is taken."""

    window_h: Annotated[float, Field(gt=0, le=24 * 90)] = 72.0
    """Readings of the last so many hours, hours."""
    min_readings: Annotated[int, Field(ge=2, le=24)] = 3
    """Fewest readings for a rate."""
    min_span_h: Annotated[float, Field(gt=0, le=24 * 90)] = 20.0
    """Shortest time between the first and the last of them, hours."""

    @model_validator(mode="after")
    def _span_within(self) -> "RateSettings":
        if self.min_span_h > self.window_h:
            words = {"found": self.min_span_h, "window": self.window_h}
            raise PydanticCustomError("pit.span", "the span is longer than the window", words)
        return self

    def build(self) -> RateWindow:
        """As the description has it."""
        return RateWindow(self.window_h * 3600.0, self.min_readings, self.min_span_h * 3600.0)


class QualitySettings(SettingsModel):
    """When a reading is not believed; everything here is a product default."""

    noise: Positive | None = None
    """What the instrument scatters by, in the item's unit; without it, what is usual for the item."""
    spike_mads: Annotated[float, Field(ge=1, le=100)] = 5.0
    """A lone reading further off than so many scaled median deviations is an outlier."""
    spike_noises: Annotated[float, Field(ge=1, le=1000)] = 10.0
    """And further off than so many times the noise."""
    steady_samples: Annotated[int, Field(ge=2, le=1000)] = 5
    """A reading that is the median of so many samples is no lone reading."""
    flat_after_h: Annotated[float, Field(ge=0, le=24 * 90)] = 24.0
    """Unchanged readings for so long are a flat line, hours; 0: never (for readings that a person writes down)."""
    flat_band: Annotated[float, Field(ge=0)] = 0.0
    """How far a reading may move and still count as unchanged, in the item's unit."""
    clock_skew_s: Annotated[float, Field(ge=0, le=86_400)] = 300.0
    """How far in the future a reading's time may be, seconds."""

    def build(self, facts: ItemFacts) -> QualityGates:
        """As the description has it."""
        return QualityGates(
            facts.noise if self.noise is None else self.noise,
            self.spike_mads,
            self.spike_noises,
            self.steady_samples,
            self.flat_after_h * 3600.0,
            self.flat_band,
            self.clock_skew_s,
        )


class PitPointSettings(SettingsModel):
    """One monitoring point."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9_-]{0,38}[a-z0-9])?$")]
    """Its name on the drawing, in small letters; unique in the pit."""
    item: PitItem
    """What is monitored there."""
    structure: PitStructure = PitStructure.OTHER
    """What it sits on; chooses the row of a limit table."""
    title_zh: Title | None = None
    """Chinese name; without it the item's and the point's."""
    title_en: Title | None = None
    """English name; without it the item's and the point's."""
    input: Name | None = None
    """The point that says the quantity itself; or `instrument`."""
    scale: float = 1.0
    """Turns the input's unit into the item's (from m to mm: 1000)."""
    instrument: Name | None = None
    """The instrument that measures it, by its id; or `input`."""
    by_hand: bool = False
    """A surveyor measures it, and the readings are imported or typed in; or `input`."""
    depth_m: Annotated[float, Field(ge=0, le=200)] | None = None
    """Depth below ground, metres. On an inclinometer chain: which node; without it, a point at each node."""
    reverse: bool = False
    """The instrument sees it the other way round: turn the sign."""
    already_cumulative: bool = False
    """The input counts from its own zero survey; otherwise a movement needs a baseline."""
    neighbours: tuple[Name, ...] = ()
    """Names of the points beside it."""
    line: Annotated[str, Field(max_length=40)] = ""
    """Section it belongs to; points of one section are related."""
    reading_interval_s: Annotated[float, Field(ge=0, le=86_400)] = 0.0
    """A stream of samples makes one reading each so many seconds (their median); 0: each sample is a reading."""
    valid_for_h: Annotated[float, Field(gt=0, le=24 * 30)] | None = None
    """How long a reading is good, hours; then the point is unknown. Without it 72, or of a stream three intervals."""
    required_every_h: Annotated[float, Field(gt=0, le=24 * 90)] | None = None
    """How often the monitoring scheme wants it read, hours; without it, as the frequency table says."""
    rising_per_day: Positive | None = None
    """From this rate on it is said to rise, in the item's unit per day; without it, what is usual for the item."""
    control: ControlSettings | None = None
    """What the designer allows here."""
    rate: RateSettings | None = None
    """Its own rate window."""
    quality: QualitySettings | None = None
    """Its own gates of quality."""

    @model_validator(mode="after")
    def _one_source(self) -> "PitPointSettings":
        given = (self.input is not None) + (self.instrument is not None) + self.by_hand
        if given != 1:
            raise PydanticCustomError(
                "pit.one_source", "give one of input, instrument, by_hand", {"found": given, "point": self.name}
            )
        return self

    def read_from(self, asset: str) -> str | None:
        """The id of the point that says the quantity itself; None for an instrument's point."""
        if self.by_hand:
            return f"{asset}.{self.name}{HAND_SUFFIX}"
        return None if self.input is None else point_id(asset, self.input)

    @property
    def valid_s(self) -> float:
        """How long a reading is good, seconds; of a stream at least a quarter of an hour (PD)."""
        if self.valid_for_h is not None:
            return self.valid_for_h * 3600.0
        return max(3 * self.reading_interval_s, 900.0) if self.reading_interval_s else 72 * 3600.0


class BaselineSettings(SettingsModel):
    """A zero survey, a re-zero, or another sensor at a point: since when, on whose word, and why."""

    point: Name
    """Name of the point (of an inclinometer: all its depths)."""
    kind: BaselineKind = BaselineKind.INITIAL
    """initial: the zero survey. re_zero: the same sensor counts anew. replaced: another sensor goes on counting."""
    at: Moment
    """Since when, ISO 8601 with offset."""
    by: Annotated[str, Field(min_length=1, max_length=100)]
    """Who says so."""
    reason: Annotated[str, Field(min_length=3, max_length=300)]
    """Why, in words for the record."""
    zero: float | None = None
    """What the instrument said then, in the item's unit; without it the mean of the first readings after `at`."""
    carried: float | None = None
    """Cumulative value then; without it what was reached before (replaced) or 0."""
    readings: Annotated[int, Field(ge=1, le=100)] = 3
    """How many readings the mean is taken of; the standard asks for at least three (GB 50497-2019, M-M)."""

    def build(self) -> Baseline:
        """As the description has it."""
        at_ns = moment_ns(self.at)
        return Baseline(self.kind, at_ns, self.by, self.reason, self.zero, self.carried, self.readings)
