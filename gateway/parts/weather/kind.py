"""The kind `weather-mast`: a mast with its instruments, and the site's weather warnings.

The mast's readings are points like any others. What is derived is about the whole site: the warnings in force, as soon
as work is watched that weather stops.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from gateway.model.derivation import Derivation
from gateway.model.papers import DriverLookup
from gateway.model.quantity import Point
from gateway.model.site_standing import SiteStanding
from gateway.parts.weather.site_watch import WeatherWatch
from gateway.settings.kind import AssetKind, KindPlan, KindPlanner, Planning
from gateway.settings.rulepack import Packs


@dataclass(frozen=True, slots=True, eq=False)
class WeatherPlan(KindPlan):
    """Whether the site has work that weather stops."""

    needed: bool

    def models(self, drivers: DriverLookup, standing: SiteStanding) -> Iterator[Derivation]:  # noqa: ARG002
        """The watch over the warnings."""
        if self.needed:
            yield WeatherWatch(standing)


class WeatherPlanner(KindPlanner):
    """Comes after the kinds that weather stops."""

    def __init__(self, planning: Planning) -> None:
        """Needs nothing of the site."""

    def plan(self, points: Mapping[str, Point], packs: Packs, before: Sequence[KindPlan]) -> WeatherPlan:  # noqa: ARG002
        """One for the whole site."""
        return WeatherPlan(any(plan.watched for plan in before))


WEATHER_MAST = AssetKind("weather-mast", ("气象站", "weather mast"), planner=WeatherPlanner)
