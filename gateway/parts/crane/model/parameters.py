"""How a crane's derived quantities are computed: spans, holds and thresholds of the derivations.

All are product design (PD) unless a line says otherwise; none is a limit that anything is judged by: those live in rule
packs. In: a site's own values. Out: frozen parameters. Knows nothing of files.
"""

from dataclasses import dataclass
from math import inf


@dataclass(frozen=True, slots=True)
class LoadParameters:
    """When a hook counts as loaded, and when a working cycle begins and ends."""

    no_load_t: float = 0.0
    """What the instrument shows with an empty hook, tonnes. PD"""
    load_delta_t: float = 0.2
    """A load is on the hook above `no_load_t` by more than this, tonnes. PD"""
    unload_delta_t: float = 0.1
    """The hook is empty again at or below `no_load_t` by this, tonnes; between the two the last answer stays. PD"""
    hold_s: float = 3.0
    """How long a load must be on the hook before it is a working cycle, seconds. Standards reference 1.8, PD"""
    unload_hold_s: float = 1.0
    """How long the hook must be empty before the cycle has ended, seconds. PD"""
    gap_s: float = 5.0
    """Two known samples further apart than this leave a hole, which the cycle's record states, seconds. PD"""
    lost_after_s: float = 600.0
    """A cycle without a known load for longer than this ends as not seen to its end, seconds. PD"""


@dataclass(frozen=True, slots=True)
class WindParameters:
    """Which share of a wind mean's span must be covered by samples. The spans are fixed (standards reference 1.6)."""

    coverage: float = 0.8
    """A mean is known when samples cover at least this share of its span, 0-1. PD"""
    hold_s: float = 1.5
    """In the 1 s and 3 s means a sample stands for the time since the one before, at most this, seconds. PD"""
    mean_hold_s: float = 15.0
    """The same in the 2 and 10 minute means, seconds. PD"""


@dataclass(frozen=True, slots=True)
class StateParameters:
    """How the operating state is told."""

    climb_step_m: float = 0.5
    """A crane height that moves by at least this is a climb (顶升), metres. PD"""
    climb_confirm_s: float = 30.0
    """A new crane height counts when it has stood so long, seconds. PD"""
    climb_settle_s: float = 1800.0
    """A climb that only the crane height shows is over when the height stood still so long, seconds. PD"""
    out_of_service_after_s: float = 7200.0
    """No motor and no load for so long is out of service, seconds. PD"""


@dataclass(frozen=True, slots=True)
class TiltParameters:
    """The no-load baseline of the mast's tilt (standards reference 7.5)."""

    low_wind_m_s: float = 3.0
    """Only samples at or below this 10-minute mean wind count, m/s. Standards reference 7.5, PD"""
    sectors: int = 16
    """Slew sectors of equal width, each with a baseline of its own. PD"""
    baseline_samples: int = 30
    """So many settled samples make the baseline of a sector. PD"""
    sample_every_s: float = 10.0
    """At most one sample of a sector in this time, so that a baseline is not one gust, seconds. PD"""
    settle_s: float = 30.0
    """How long the hook must have been empty and the crane still before tilt is compared, seconds. PD"""
    still_deg_s: float = 0.1
    """Slewing slower than this is standing still, degrees a second. PD"""
    smoothing_samples: int = 6
    """Drift is the mean of the last so many settled samples of the sector. PD"""
    valid_s: float = 21_600.0
    """A drift is known for so long after its last settled sample, seconds. PD"""
    cause_sectors: int = 3
    """So many sectors with a drift tell whether it is fixed in site axes or turns with the jib. PD"""


@dataclass(frozen=True, slots=True)
class SwingParameters:
    """Load swing and side pull (standards reference 7.4)."""

    speed_span_s: float = 2.0
    """Trolley, slew and hoist speeds are differences over this span, seconds. PD"""
    decay_s: float = 60.0
    """A swing is taken to have died down to 1/e after this, seconds. PD"""
    drop_offset_m: float = 0.0
    """Rope length below the jib when the hook is at its highest, metres. PD"""
    pull_span_s: float = 3.0
    """Side pull: the load rose within this span, seconds. PD"""
    pull_rise_t: float = 0.5
    """Side pull: by at least this much, tonnes. PD"""
    hook_still_m: float = 0.15
    """Side pull: while the hook height moved less than this, metres. PD"""


@dataclass(frozen=True, slots=True)
class SafetyParameters:
    """What a safety device that does not work looks like."""

    limit_moment_pct: float = 105.0
    """A limiter that works has cut the motion above this, per cent of the rated moment: it has to between 100 and 110
    (GB 5144-2006 6.2.2, M-H), and what is read may be 5 % wrong. Standards reference 1.5, PD"""
    limit_load_pct: float = 105.0
    """The same for the load, per cent of the largest rated load (GB 5144-2006 6.1.2, V1). PD"""
    moving_m_s: float = 0.05
    """Hoisting or trolleying at least this fast is a motion, metres a second. PD"""


@dataclass(frozen=True, slots=True)
class FatigueParameters:
    """Damage ledger (standards reference 7.6)."""

    exponent: float = 3.0
    """Slope of the S-N line, welded details. Standards reference 7.6, M-H"""
    hysteresis_pct: float = 2.0
    """Moment changes smaller than this are noise, per cent of the rated moment. PD"""
    design_cycles: float = 62_500.0
    """Full cycles of 100 % of the rated moment that use up the design life: U4 (2.5e5, M-H) with load spectrum Q2
    (0.25, M-H); that a tower crane is built for U4 and Q2 is from memory (M-L): the maker's manual says."""


@dataclass(frozen=True, slots=True)
class ShiftParameters:
    """When shifts begin, for the ledger of cycles."""

    starts_h: tuple[int, ...] = (7, 19)
    """Local hours (UTC+8), rising. PD"""


@dataclass(frozen=True, slots=True)
class CycleMarks:
    """From where a working cycle's record carries a flag. The rules judge by their own limits: give these the same."""

    moment_prealarm_pct: float = 90.0
    """JGJ 332-2014 3.2.7(3), V1"""
    moment_alarm_pct: float = 100.0
    """JGJ 332-2014 3.2.7(3), V1"""
    wind_prealarm_m_s: float = 10.8
    """On the 3 s running mean. PD"""
    wind_alarm_m_s: float = 12.0
    """JGJ 33-2012 4.1.15 and JGJ 196-2010 4.0.9, V2"""
    tilt_alarm_permille: float = inf
    """On the tilt itself. Working tilt has no verified limit (standards reference 7.5), so nothing is flagged. PD"""
    height_margin_m: float = 0.8
    """Hook to jib, GB 5144-2006 6.3.3, M-M"""
    radius_margin_m: float = 0.0
    """Trolley to the end of its way. PD"""
    slew_margin_deg: float = 0.0
    """Jib to the end of its turn. PD"""


@dataclass(frozen=True, slots=True)
class CraneParameters:
    """All of one crane's."""

    load: LoadParameters = LoadParameters()
    wind: WindParameters = WindParameters()
    state: StateParameters = StateParameters()
    tilt: TiltParameters = TiltParameters()
    swing: SwingParameters = SwingParameters()
    safety: SafetyParameters = SafetyParameters()
    fatigue: FatigueParameters = FatigueParameters()
    shifts: ShiftParameters = ShiftParameters()
    marks: CycleMarks = CycleMarks()
    stale_after_s: float = 30.0
    """Age at which a derived value counts as unknown, seconds: that of its slowest input. PD"""
