"""The `plan:` section of an asset: where it stands on the site plan that screens draw.

In: plain data. Out: frozen models. It judges nothing: a crane's place comes from its `crane:` section, a zone's from
`zones:`. What is not given is not drawn but listed beside the plan. Knows no drawing.
"""

from typing import Annotated

from pydantic import Field

from gateway.settings.schema import SettingsModel

Place = Annotated[float, Field(ge=-100_000, le=100_000)]
Bearing = Annotated[float, Field(ge=0, lt=360)]


class PlanPointSettings(SettingsModel):
    """A point in plan, in the site's frame."""

    x_m: Place
    """Metres east of the site's origin."""
    y_m: Place
    """Metres north of the site's origin."""


class ViewSettings(SettingsModel):
    """What a camera looks at, in plan."""

    bearing_deg: Bearing
    """Where its middle points, degrees clockwise from site north."""
    angle_deg: Annotated[float, Field(gt=0, le=360)]
    """How wide it sees, degrees."""
    range_m: Annotated[float, Field(gt=0, le=500)]
    """How far it sees, metres."""


class PlanSettings(SettingsModel):
    """Where an asset stands, in the site's frame. Only drawn; no rule looks at it."""

    place: PlanPointSettings | None = None
    """Where it stands."""
    outline: Annotated[tuple[PlanPointSettings, ...], Field(min_length=3, max_length=100)] | None = None
    """Its corners in order: a pit's edge."""
    view: ViewSettings | None = None
    """What a camera at `place` looks at."""
