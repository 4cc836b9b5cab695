"""What a pit knows beside each of its points when their failure is forecast: neighbours, rain, digging, groundwater.

    rain gauge (mm in all), excavated depth (m) --> courses of the pit       \\
    wells of the pit (mm)                       --> a course each             > evidence of each point
    forecasters of points of one mass           --> what moves together      /

One mass (PD): a point's named neighbours and the points of its section (断面), where they are forecast and no
instrument is common to both, for then their noise is common too. Wells are those of the section or named; where there
are none, all of the pit. In: readings. Out: an `Evidence` for each point. What is not known is neither calm nor dry.
"""

from collections.abc import Mapping, Sequence
from math import isfinite

from gateway.model.derivation import Json
from gateway.parts.pit.forecast.creep_drivers import Driver, DriverKind
from gateway.parts.pit.forecast.forecast import NS_A_DAY, Forecaster
from gateway.parts.pit.forecast.trend_track import Track
from gateway.parts.pit.model.description import PitDescription, PitPoint
from gateway.parts.pit.model.items import PitItem
from gateway.parts.pit.model.outputs import forecasts


class Course:
    """What one quantity has been for two months, thinned by age. `counter`: a value that falls has been set to zero and
    counts from there; of anything else that is put in, only what is beyond the most so far counts."""

    def __init__(self, kind: DriverKind, counter: bool = False) -> None:
        self._kind, self._counter = kind, counter
        self.reset()

    def reset(self) -> None:
        """Forget it: what comes cannot be compared with what was."""
        self._epoch_ns: int | None = None
        self._track = Track()
        self._last = 0.0
        self._total = 0.0

    def note(self, at_ns: int, value: float) -> None:
        """What it is now. NaN is skipped, and so is what is not later than the last."""
        if not isfinite(value):
            return
        if self._epoch_ns is None:
            self._epoch_ns, self._last = at_ns, value
        t_d = (at_ns - self._epoch_ns) / NS_A_DAY
        if t_d <= self._track.last_d:
            return
        if self._kind is DriverKind.PUT_IN:
            value = self._put_in(value)
        self._track.add(t_d, value)

    def _put_in(self, value: float) -> float:
        """All that was put in since it was first known."""
        begun_anew = self._counter and value < self._last
        self._total += value if begun_anew else max(0.0, value - self._last)
        self._last = value if self._counter else max(self._last, value)
        return self._total

    def driver(self, epoch_ns: int) -> Driver | None:
        """Its course in days since `epoch_ns`; None before it was known twice."""
        if self._epoch_ns is None:
            return None
        series = self._track.series()
        by_d = (self._epoch_ns - epoch_ns) / NS_A_DAY
        return Driver(self._kind, series.t_d + by_d, series.x_mm) if len(series) > 1 else None

    def saved(self) -> Json:
        """The state to keep; None: nothing was ever known."""
        return None if self._epoch_ns is None else [self._epoch_ns, self._last, self._total, self._track.saved()]

    def restore(self, saved: Json) -> None:
        """Go on from a kept state. Raises ValueError when it is none."""
        match saved:
            case None:
                self.reset()
            case [int(epoch_ns), int() | float() as last, int() | float() as total, track]:
                kept = Track()
                kept.restore(track)
                self._epoch_ns, self._last, self._total, self._track = epoch_ns, float(last), float(total), kept
            case _:
                raise ValueError("not the course of rain, digging or water")


class PitSurroundings:
    """The courses and forecasters of one pit, shared by the models of its points."""

    def __init__(self, pit: PitDescription) -> None:
        self.rain = Course(DriverKind.PUT_IN, counter=True)
        self.dug = Course(DriverKind.PUT_IN)
        self.wells = {point.name: Course(DriverKind.LEVEL) for point in pit.points if _is_well(point)}
        self.forecasters = {point.name: Forecaster() for point in pit.points if forecasts(point)}
        self._points = {point.name: point for point in pit.points}

    def evidence_of(self, point: PitPoint) -> "PointEvidence":
        """What is known beside this point."""
        others = [other for other in self._points.values() if other.name != point.name]
        named = [other for other in others if _named(point, other)]
        of_section = [other for other in others if point.line and other.line == point.line and other not in named]
        near = [*named, *of_section]
        mass = [self.forecasters[each.name] for each in near if forecasts(each) and not _shares_instrument(point, each)]
        wells = [self.wells[each.name] for each in near if _is_well(each)] or list(self.wells.values())
        return PointEvidence(mass, [self.rain, self.dug, *wells])

    def saved(self) -> Json:
        """What the pit itself keeps: rain and digging. Each point keeps its own."""
        return {"rain": self.rain.saved(), "dug": self.dug.saved()}

    def restore(self, saved: Json) -> None:
        """Go on from it. Raises ValueError when it is none."""
        if not isinstance(saved, Mapping):
            raise ValueError("not what a pit knows of rain and digging")
        self.rain.restore(saved.get("rain"))
        self.dug.restore(saved.get("dug"))


class PointEvidence:
    """What is known beside one point (an `Evidence`)."""

    def __init__(self, mass: Sequence[Forecaster], courses: Sequence[Course]) -> None:
        self._mass = mass
        self._courses = courses

    def neighbours(self) -> Sequence[Forecaster]:
        """Points of its mass: the named ones first, then those of its section."""
        return self._mass

    def drivers(self, epoch_ns: int) -> Sequence[Driver]:
        """What is known of rain, digging and groundwater."""
        told = [course.driver(epoch_ns) for course in self._courses]
        return [driver for driver in told if driver is not None]


def _named(point: PitPoint, other: PitPoint) -> bool:
    return other.name in point.neighbours or point.name in other.neighbours


def _is_well(point: PitPoint) -> bool:
    return point.item is PitItem.GROUNDWATER


def _shares_instrument(point: PitPoint, other: PitPoint) -> bool:
    return not set(point.source.inputs).isdisjoint(other.source.inputs)
