"""A tower crane at work: lift cycles, load chart, load moment, mast tilt, and overloads on command.

In: dt and the wind at the mast. Out: what the crane's safety host would show, by register key. Pure and seeded: the
same seed and steps give the same crane. Knows nothing of registers, sockets or clocks.

    slew and trolley to the load -> lower -> rig -> take the load -> hoist -> carry -> lower -> unrig -> raise -> rest

The numbers are those of an ordinary 80 t.m crane with a 55 m jib (hoist 40 m/min, trolley 40 m/min, slew 0.6 rpm); they
are a product design, not a maker's table.
"""

import random
from dataclasses import dataclass
from enum import StrEnum

from drivers.sim.axis import Axis
from drivers.sim.overload import OverloadProfile

_SUBSTEP_S = 0.05
_WIND_PROFILE_EXPONENT = 0.15
_LOAD_NOISE_SHARE = 0.0015
_GRAVITY_M_S2 = 9.81
NORMAL_LIMIT_PCT = 85.0
"""No ordinary lift reaches this."""


@dataclass(frozen=True, slots=True)
class LoadChart:
    """Rated load over radius, as a maker's chart falls: flat up to a knee, then about 1/radius less the jib's weight.

    6 t |‾‾‾‾\\
        |     ‾‾--..__
    1.3 |             ‾‾‾--.
        +----|-----------|---- radius
            14 m        55 m
    """

    max_t: float = 6.0
    moment_tm: float = 95.8
    offset_m: float = 0.7
    jib_t: float = 0.42

    def rated_t(self, radius_m: float) -> float:
        """What may hang at this radius."""
        return min(self.max_t, self.moment_tm / (radius_m + self.offset_m) - self.jib_t)


@dataclass(frozen=True, slots=True)
class CraneModel:
    """Dimensions, drives and place. Radii in m from the mast's axis, heights in m above ground, the base in m east and
    north of the site's origin. Within `sector_deg` (from, to) and `lift_radius_m` it picks up and sets down its loads;
    None: all around.
    """

    chart: LoadChart = LoadChart()
    height_m: float = 48.0
    radius_min_m: float = 3.0
    radius_max_m: float = 55.0
    hook_min_m: float = 0.5
    hook_max_m: float = 44.0
    parts_of_line: int = 4
    hoist_m_s: float = 0.67
    hoist_m_s2: float = 0.3
    trolley_m_s: float = 0.67
    trolley_m_s2: float = 0.25
    slew_deg_s: float = 3.6
    slew_deg_s2: float = 0.6
    slew_limit_deg: float = 540.0
    counter_jib_m: float = 15.0
    base_x_m: float = 0.0
    base_y_m: float = 0.0
    sector_deg: tuple[float, float] | None = None
    lift_radius_m: tuple[float, float] = (5.0, 50.0)
    driver_no: int = 0


class Phase(StrEnum):
    """Where in its lift cycle a crane is."""

    TO_LOAD = "to_load"
    LOWER_EMPTY = "lower_empty"
    RIG = "rig"
    TAKE = "take"
    HOIST = "hoist"
    CARRY = "carry"
    LOWER = "lower"
    UNRIG = "unrig"
    RAISE = "raise"
    REST = "rest"


_NEXT = dict(zip(Phase, [*list(Phase)[1:], Phase.TO_LOAD], strict=True))
_WAITING = {Phase.RIG, Phase.TAKE, Phase.UNRIG, Phase.REST}


@dataclass(frozen=True, slots=True)
class Lift:
    """One job: from where to where, at which travel height, how heavy. Slew angles may lie beyond a full turn."""

    load_t: float
    from_radius_m: float
    from_slew_deg: float
    from_hook_m: float
    to_radius_m: float
    to_slew_deg: float
    to_hook_m: float
    travel_hook_m: float


@dataclass(frozen=True, slots=True)
class CraneState:
    """What the safety host shows. Field names are the register keys of the crane table."""

    load_t: float
    rated_t: float
    moment_pct: float
    radius_m: float
    hook_m: float
    crane_h_m: float
    slew_deg: float
    wind_ms: float
    tilt_deg: float
    multiple: float
    motor: float
    work_status: float
    weight_error: float = 0.0
    wind_error: float = 0.0
    range_error: float = 0.0
    height_error: float = 0.0
    angle_error: float = 0.0
    tilt_error: float = 0.0
    id_error: float = 0.0
    multi_alarm: float = 0.0
    driver_no: float = 0.0


class CraneTwin:
    """One crane, stepped with dt. `overload` makes its next seconds an overload; the lift goes on afterwards.

    While `sent_to_deg` is set it slews there and nowhere else, whatever it was doing. While it is `climbing` its drives
    stand still and nothing hangs on the hook. `multi_alarm` is its host's own collision flag.
    """

    def __init__(self, seed: str, model: CraneModel | None = None) -> None:
        self.model = model or CraneModel()
        self._random = random.Random(seed)
        m = self.model
        start_deg = self._random.uniform(*(m.sector_deg or (0.0, 360.0)))
        self.slew = Axis(start_deg, m.slew_deg_s, m.slew_deg_s2)
        self.trolley = Axis(self._random.uniform(12, 40), m.trolley_m_s, m.trolley_m_s2)
        self.hoist = Axis(self._random.uniform(25, 40), m.hoist_m_s, m.hoist_m_s2)
        self.phase = Phase.TO_LOAD
        self.lift = self._plan_lift()
        self._phase_left_s = 0.0
        self._hanging_t = 0.0
        self._tilt_deg = 0.03
        self._wind_m_s = 0.0
        self._overload: tuple[OverloadProfile, float] | None = None
        self.sent_to_deg: float | None = None
        self.climbing = False
        self.multi_alarm = False
        self.state = self._observe()

    def step(self, dt_s: float, mast_wind_m_s: float, mast_height_m: float = 10.0) -> CraneState:
        """Move the crane on by `dt_s` (cut into substeps of about 50 ms) and return what its host shows."""
        self._wind_m_s = mast_wind_m_s * (self.model.height_m / mast_height_m) ** _WIND_PROFILE_EXPONENT
        substeps = max(1, round(dt_s / _SUBSTEP_S))
        for _ in range(substeps):
            self._substep(dt_s / substeps)
        self.state = self._observe()
        return self.state

    @property
    def overloaded(self) -> bool:
        """Whether an injected overload is under way, ramps included."""
        return self._overload is not None

    def overload(self, peak_pct: float, duration_s: float) -> None:
        """Begin an overload now: drives brake, the hook pulls on something that does not come. One at a time."""
        if self._overload is not None:
            raise ValueError("overload: one is under way, expected none")
        back_pct = 100 * self._hanging_t / self._rated_t()
        self._overload = (OverloadProfile(self.state.moment_pct, peak_pct, back_pct, duration_s), 0.0)

    def _substep(self, dt_s: float) -> None:
        self._lean(dt_s)
        if self._overload is not None:
            self._step_overload(self._overload, dt_s)
        elif self.climbing:
            self._stand_still(dt_s)
        elif self.sent_to_deg is not None:
            self._slew_to(self.sent_to_deg, dt_s)
        elif self._work(dt_s):
            self._enter(_NEXT[self.phase])

    def _step_overload(self, overload: tuple[OverloadProfile, float], dt_s: float) -> None:
        profile, elapsed_s = overload
        self._brake(dt_s)
        elapsed_s += dt_s
        self._overload = (profile, elapsed_s) if elapsed_s < profile.total_s else None

    def _stand_still(self, dt_s: float) -> None:
        """Climbing: the load is put down and the drives stop."""
        self._brake(dt_s)
        self._hanging_t = max(0.0, self._hanging_t - self.lift.load_t * dt_s / 1.5)

    def _slew_to(self, bearing_deg: float, dt_s: float) -> None:
        """The short way round; the other drives stop."""
        away_deg = (bearing_deg - self.slew.position + 180) % 360 - 180
        self.slew.move(self.slew.position + away_deg, dt_s)
        self.trolley.brake(dt_s)
        self.hoist.brake(dt_s)

    def _brake(self, dt_s: float) -> None:
        for axis in (self.slew, self.trolley, self.hoist):
            axis.brake(dt_s)

    def _work(self, dt_s: float) -> bool:
        """Do this phase's work for `dt_s`; True when it is done."""
        lift = self.lift
        if self.phase in _WAITING:
            return self._wait(dt_s)
        radius_m, slew_deg, hook_m = {
            Phase.TO_LOAD: (lift.from_radius_m, lift.from_slew_deg, lift.travel_hook_m),
            Phase.LOWER_EMPTY: (lift.from_radius_m, lift.from_slew_deg, lift.from_hook_m),
            Phase.HOIST: (lift.from_radius_m, lift.from_slew_deg, lift.travel_hook_m),
            Phase.CARRY: (lift.to_radius_m, lift.to_slew_deg, lift.travel_hook_m),
            Phase.LOWER: (lift.to_radius_m, lift.to_slew_deg, lift.to_hook_m),
            Phase.RAISE: (lift.to_radius_m, lift.to_slew_deg, lift.travel_hook_m),
        }[self.phase]
        self.slew.move(slew_deg, dt_s)
        self.trolley.move(radius_m, dt_s)
        self.hoist.move(hook_m, dt_s)
        arrived = (self.slew.position, self.trolley.position, self.hoist.position) == (slew_deg, radius_m, hook_m)
        return arrived and not self._motor_on()

    def _wait(self, dt_s: float) -> bool:
        """Rigging, taking and setting down the load, resting: time passes and the rope's pull follows."""
        self._brake(dt_s)
        wanted_t = self.lift.load_t if self.phase is Phase.TAKE else 0.0
        pull_t = self.lift.load_t * dt_s / 1.5
        self._hanging_t += max(-pull_t, min(pull_t, wanted_t - self._hanging_t))
        self._phase_left_s -= dt_s
        return self._phase_left_s <= 0 and self._hanging_t == wanted_t

    def _enter(self, phase: Phase) -> None:
        self.phase = phase
        low_s, high_s = {Phase.RIG: (3, 8), Phase.TAKE: (1.5, 2.5), Phase.UNRIG: (3, 6), Phase.REST: (1, 5)}.get(
            phase, (0, 0)
        )
        self._phase_left_s = self._random.uniform(low_s, high_s)
        if phase is Phase.TO_LOAD:
            self.lift = self._plan_lift()

    def _plan_lift(self) -> Lift:
        """Draw a job whose load is safe all the way: at most 70 % of the rated load at the larger radius."""
        draw = self._random.uniform
        from_radius_m, to_radius_m = draw(*self.model.lift_radius_m), draw(*self.model.lift_radius_m)
        rated_t = self.model.chart.rated_t(max(from_radius_m, to_radius_m))
        from_hook_m, to_hook_m = draw(1, 4), draw(1, 30)
        from_slew_deg = self._bearing(self.slew.position)
        return Lift(
            load_t=max(1.0, draw(0.3, 0.7) * rated_t),
            from_radius_m=from_radius_m,
            from_slew_deg=from_slew_deg,
            from_hook_m=from_hook_m,
            to_radius_m=to_radius_m,
            to_slew_deg=self._bearing(from_slew_deg),
            to_hook_m=to_hook_m,
            travel_hook_m=min(self.model.hook_max_m, max(from_hook_m, to_hook_m) + draw(5, 10)),
        )

    def _bearing(self, start_deg: float) -> float:
        """Where a load is fetched or brought: in the sector, or anywhere within half a turn."""
        if self.model.sector_deg is not None:
            return self._random.uniform(*self.model.sector_deg)
        return self._turn(start_deg, self._random.uniform(-170, 170))

    def _turn(self, start_deg: float, by_deg: float) -> float:
        """Turn the other way when a cable without slip ring would be wound beyond its limit."""
        end_deg = start_deg + by_deg
        return end_deg if abs(end_deg) < self.model.slew_limit_deg else start_deg - by_deg

    def _lean(self, dt_s: float) -> None:
        """The mast leans with load moment and wind and follows slowly, like a first-order lag of 2 s."""
        moment_share = self._pull_t() * self.trolley.position / self.model.chart.moment_tm
        wanted_deg = 0.03 + 0.35 * moment_share + 0.0006 * self._wind_m_s**2
        self._tilt_deg += (wanted_deg - self._tilt_deg) * min(1.0, dt_s / 2.0)

    def _rated_t(self) -> float:
        return self.model.chart.rated_t(self.trolley.position)

    def _motor_on(self) -> bool:
        return self.slew.moving or self.trolley.moving or self.hoist.moving

    def _pull_t(self) -> float:
        """What pulls on the hook: the injected course, or the load and what its acceleration adds."""
        if self._overload is not None:
            profile, elapsed_s = self._overload
            return profile.at(elapsed_s) * self._rated_t() / 100
        return self._hanging_t * (1 + self.hoist.acceleration / _GRAVITY_M_S2)

    def _measured_t(self) -> float:
        """What the load cell says: the pull, with a little noise outside the injected course."""
        noise = 0.0 if self._overload is not None else _LOAD_NOISE_SHARE * self._random.gauss(0, 1)
        return self._pull_t() * (1 + noise)

    def _observe(self) -> CraneState:
        load_t = self._measured_t()
        rated_t = self._rated_t()
        return CraneState(
            load_t=load_t,
            rated_t=rated_t,
            moment_pct=max(0.0, 100 * load_t / rated_t),
            radius_m=self.trolley.position,
            hook_m=self.hoist.position,
            crane_h_m=self.model.height_m,
            slew_deg=self.slew.position % 360,
            wind_ms=self._wind_m_s,
            tilt_deg=self._tilt_deg,
            multiple=self.model.parts_of_line,
            motor=float(self._motor_on() or self._overload is not None),
            work_status=float(self.climbing),
            multi_alarm=float(self.multi_alarm),
            driver_no=float(self.model.driver_no),
        )
