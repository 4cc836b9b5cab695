"""A site's own parameters for its crane's derived quantities. Without an entry the defaults hold.

In: plain data. Out: the parameters of `gateway.parts.crane.model.parameters`, which says more of each. Every default
is a product design (PD) unless it names a standard. Limits are not here: they are in rule packs.
"""

from math import inf
from typing import Annotated

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from gateway.parts.crane.model.parameters import (
    CraneParameters,
    CycleMarks,
    FatigueParameters,
    LoadParameters,
    SafetyParameters,
    ShiftParameters,
    StateParameters,
    SwingParameters,
    TiltParameters,
    WindParameters,
)
from gateway.settings.schema import SettingsModel

_LOAD, _WIND, _STATE, _TILT = LoadParameters(), WindParameters(), StateParameters(), TiltParameters()
_SWING, _SAFETY, _FATIGUE, _MARKS = SwingParameters(), SafetyParameters(), FatigueParameters(), CycleMarks()
_SHIFTS, _ALL = ShiftParameters(), CraneParameters()

Tonnes = Annotated[float, Field(gt=0, le=100)]
ShortTime = Annotated[float, Field(ge=0, le=60)]
LongTime = Annotated[float, Field(gt=0, le=86_400)]
Percent = Annotated[float, Field(gt=0, le=200)]
Wind = Annotated[float, Field(gt=0, le=60)]
Margin = Annotated[float, Field(ge=0, le=45)]


class LoadTuning(SettingsModel):
    """When a hook counts as loaded, and when a working cycle begins and ends."""

    no_load_t: Annotated[float, Field(ge=-5, le=20)] = _LOAD.no_load_t
    """What the instrument shows with an empty hook, tonnes."""
    load_delta_t: Tonnes = _LOAD.load_delta_t
    """A load is on the hook above `no_load_t` by more than this, tonnes."""
    unload_delta_t: Annotated[float, Field(ge=0, le=100)] = _LOAD.unload_delta_t
    """The hook is empty again at or below `no_load_t` by this, tonnes."""
    hold_s: ShortTime = _LOAD.hold_s
    """How long a load must be on the hook before it is a working cycle, seconds."""
    unload_hold_s: ShortTime = _LOAD.unload_hold_s
    """How long the hook must be empty before the cycle has ended, seconds."""
    gap_s: LongTime = _LOAD.gap_s
    """Known loads further apart than this leave a hole, which the cycle's record states, seconds."""
    lost_after_s: LongTime = _LOAD.lost_after_s
    """A cycle without a known load for longer ends as not seen to its end, seconds."""

    @model_validator(mode="after")
    def _empty_below_loaded(self) -> "LoadTuning":
        if self.unload_delta_t > self.load_delta_t:
            raise PydanticCustomError(
                "crane.unload_delta", "unload_delta_t is not below load_delta_t", {"found": self.unload_delta_t}
            )
        return self


class WindTuning(SettingsModel):
    """Which share of a wind mean's span must be covered by samples."""

    coverage: Annotated[float, Field(gt=0, le=1)] = _WIND.coverage
    """A mean is known when samples cover at least this share of its span."""
    hold_s: Annotated[float, Field(gt=0, le=30)] = _WIND.hold_s
    """In the 1 s and 3 s means a sample stands for at most this, seconds. Of an anemometer that is read more seldom,
    but regularly and at least every 30 s, single samples are judged in place of these means."""
    mean_hold_s: Annotated[float, Field(gt=0, le=120)] = _WIND.mean_hold_s
    """The same in the 2 and 10 minute means, seconds."""


class StateTuning(SettingsModel):
    """How the operating state is told."""

    climb_step_m: Annotated[float, Field(gt=0, le=20)] = _STATE.climb_step_m
    """A crane height that moves by at least this is a climb, metres."""
    climb_confirm_s: LongTime = _STATE.climb_confirm_s
    """A new crane height counts when it has stood so long, seconds."""
    climb_settle_s: LongTime = _STATE.climb_settle_s
    """A climb that only the crane height shows is over when the height stood still so long, seconds."""
    out_of_service_after_s: LongTime = _STATE.out_of_service_after_s
    """No motor and no load for so long is out of service, seconds."""


class TiltTuning(SettingsModel):
    """The no-load baseline of the mast's tilt."""

    low_wind_m_s: Wind = _TILT.low_wind_m_s
    """Only samples at or below this 10-minute mean wind count, m/s."""
    sectors: Annotated[int, Field(ge=4, le=72)] = _TILT.sectors
    """Slew sectors, each with a baseline of its own."""
    baseline_samples: Annotated[int, Field(ge=5, le=1000)] = _TILT.baseline_samples
    """So many settled samples make the baseline of a sector."""
    sample_every_s: LongTime = _TILT.sample_every_s
    """At most one sample of a sector in this time, seconds."""
    settle_s: LongTime = _TILT.settle_s
    """How long the hook must have been empty and the crane still before tilt is compared, seconds."""
    still_deg_s: Annotated[float, Field(gt=0, le=5)] = _TILT.still_deg_s
    """Slewing slower than this is standing still, degrees a second."""
    smoothing_samples: Annotated[int, Field(ge=1, le=100)] = _TILT.smoothing_samples
    """Drift is the mean of the last so many settled samples of the sector."""
    valid_s: Annotated[float, Field(gt=0, le=604_800)] = _TILT.valid_s
    """A drift is known for so long after its last settled sample, seconds."""
    cause_sectors: Annotated[int, Field(ge=2, le=72)] = _TILT.cause_sectors
    """So many sectors with a drift tell whether it is fixed in site axes or turns with the jib."""


class SwingTuning(SettingsModel):
    """Load swing and side pull."""

    speed_span_s: Annotated[float, Field(gt=0, le=10)] = _SWING.speed_span_s
    """Trolley, slew and hoist speeds are differences over this span, seconds."""
    decay_s: LongTime = _SWING.decay_s
    """A swing is taken to have died down to 1/e after this, seconds."""
    drop_offset_m: Annotated[float, Field(ge=0, le=20)] = _SWING.drop_offset_m
    """Rope length below the jib when the hook is at its highest, metres."""
    pull_span_s: Annotated[float, Field(gt=0, le=60)] = _SWING.pull_span_s
    """Side pull: the load rose within this span, seconds."""
    pull_rise_t: Tonnes = _SWING.pull_rise_t
    """Side pull: by at least this much, tonnes."""
    hook_still_m: Annotated[float, Field(gt=0, le=10)] = _SWING.hook_still_m
    """Side pull: while the hook height moved less than this, metres."""


class SafetyTuning(SettingsModel):
    """What a safety device that does not work looks like."""

    limit_moment_pct: Percent = _SAFETY.limit_moment_pct
    """A limiter that works has cut the motion above this, per cent of the rated moment: it has to between 100 and 110
    (GB 5144-2006 6.2.2, M-H)."""
    limit_load_pct: Percent = _SAFETY.limit_load_pct
    """The same for the load, per cent of the largest rated load (GB 5144-2006 6.1.2, V1)."""
    moving_m_s: Annotated[float, Field(gt=0, le=10)] = _SAFETY.moving_m_s
    """Hoisting or trolleying at least this fast is a motion, metres a second."""


class FatigueTuning(SettingsModel):
    """The damage ledger."""

    exponent: Annotated[float, Field(ge=1, le=10)] = _FATIGUE.exponent
    """Slope of the S-N line: 3 for welded details (M-H)."""
    hysteresis_pct: Annotated[float, Field(ge=0.1, le=50)] = _FATIGUE.hysteresis_pct
    """Moment changes smaller than this are noise, per cent of the rated moment."""
    design_cycles: Annotated[float, Field(ge=1000, le=1e8)] = _FATIGUE.design_cycles
    """Full cycles of 100 % of the rated moment that use up the design life, by the maker's manual."""


class ShiftTuning(SettingsModel):
    """When shifts begin, for the ledger of cycles."""

    starts_h: Annotated[tuple[Annotated[int, Field(ge=0, le=23)], ...], Field(min_length=1, max_length=6)] = (
        _SHIFTS.starts_h
    )
    """Local hours (UTC+8), rising."""

    @model_validator(mode="after")
    def _in_order(self) -> "ShiftTuning":
        for i, hour in enumerate(self.starts_h[1:], start=1):
            if hour <= self.starts_h[i - 1]:
                raise PydanticCustomError("crane.not_rising", "not rising", {"key": "starts_h", "position": i + 1})
        return self


class CycleMarksTuning(SettingsModel):
    """From where a working cycle's record carries a flag; give what the site's rules say."""

    moment_prealarm_pct: Percent = _MARKS.moment_prealarm_pct
    """Moment pre-alarm, per cent of the rated moment (JGJ 332-2014 3.2.7(3), V1)."""
    moment_alarm_pct: Percent = _MARKS.moment_alarm_pct
    """Moment alarm, per cent of the rated moment (JGJ 332-2014 3.2.7(3), V1)."""
    wind_prealarm_m_s: Wind = _MARKS.wind_prealarm_m_s
    """Wind pre-alarm on the 3 s mean, m/s."""
    wind_alarm_m_s: Wind = _MARKS.wind_alarm_m_s
    """Wind alarm on the 3 s mean, m/s (JGJ 33-2012 4.1.15 and JGJ 196-2010 4.0.9, V2)."""
    tilt_alarm_permille: Annotated[float, Field(gt=0, le=100)] | None = None
    """Mast tilt at work, permille; without it no cycle is flagged."""
    height_margin_m: Margin = _MARKS.height_margin_m
    """Hook to jib, metres (GB 5144-2006 6.3.3, M-M)."""
    radius_margin_m: Margin = _MARKS.radius_margin_m
    """Trolley to the end of its way, metres."""
    slew_margin_deg: Margin = _MARKS.slew_margin_deg
    """Jib to the end of its turn, degrees."""


class CraneTuning(SettingsModel):
    """Spans, holds and thresholds of a crane's derived quantities. The defaults fit most cranes."""

    load: LoadTuning = LoadTuning()
    """When a hook counts as loaded."""
    wind: WindTuning = WindTuning()
    """Means of the wind."""
    state: StateTuning = StateTuning()
    """Operating state."""
    tilt: TiltTuning = TiltTuning()
    """Tilt baseline."""
    swing: SwingTuning = SwingTuning()
    """Load swing and side pull."""
    safety: SafetyTuning = SafetyTuning()
    """Safety devices that do not work."""
    fatigue: FatigueTuning = FatigueTuning()
    """Damage ledger."""
    shifts: ShiftTuning = ShiftTuning()
    """When shifts begin."""
    cycle_marks: CycleMarksTuning = CycleMarksTuning()
    """Flags in a working cycle's record."""
    stale_after_s: LongTime = _ALL.stale_after_s
    """Age at which a derived value counts as unknown, seconds: not below that of the slowest input."""

    def parameters(self) -> CraneParameters:
        """As the crane model takes them."""
        marks = self.cycle_marks.model_dump()
        marks["tilt_alarm_permille"] = inf if marks["tilt_alarm_permille"] is None else marks["tilt_alarm_permille"]
        return CraneParameters(
            load=LoadParameters(**self.load.model_dump()),
            wind=WindParameters(**self.wind.model_dump()),
            state=StateParameters(**self.state.model_dump()),
            tilt=TiltParameters(**self.tilt.model_dump()),
            swing=SwingParameters(**self.swing.model_dump()),
            safety=SafetyParameters(**self.safety.model_dump()),
            fatigue=FatigueParameters(**self.fatigue.model_dump()),
            shifts=ShiftParameters(**self.shifts.model_dump()),
            marks=CycleMarks(**marks),
            stale_after_s=self.stale_after_s,
        )
