"""The site plan: what stands where, as shapes ready for an SVG.

    site frame, metres                      drawing, units
    Y north ^                               0,0 +-----------> x
            |   (base) o---- jib                |
            +--------> X east                   v  y          units_per_m = one factor for both axes

In: where the site file places its assets, and the shapes that their kinds bring: jibs, areas, lines. Out: a frozen
`Drawing`: circles, polygons, one factor, and what nobody has placed. Where a jib points now comes later, as two
numbers: `jib_pose`. What is not in the site file is not drawn: nothing is invented. Knows no value, no alarm and no
HTML.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import cos, isfinite, radians, sin
from typing import Final

from gateway.model.plan_geometry import PlanPoint, sector
from gateway.model.site_shapes import SiteShapes, TurningJib
from gateway.settings import Settings
from gateway.settings.site_file import AssetSettings

MOST_WIDE: Final = 1000.0
MOST_HIGH: Final = 800.0
MARGIN: Final = 46.0
LEAST_SPAN_M: Final = 40.0
BAR_STEPS_M: Final = (5, 10, 20, 50, 100, 200, 500)
BAR_UNITS: Final = 160.0


@dataclass(frozen=True, slots=True)
class DrawnCrane:
    """A tower crane. Units: `x`, `y` its slewing axis, the rest lengths. `rail` is `x1, y1, x2, y2` where it travels.

    The hook moves between `radius_min_m` and `radius_max_m`. The jib is drawn pointing north and turned:
    `slew_zero_deg` and `slew_clockwise` say how its reading turns it, and `rail_bearing_deg` where a rising travel
    moves it.
    """

    asset: str
    number: int
    x: float
    y: float
    reach: float
    jib: float
    counter_jib: float
    radius_min_m: float
    radius_max_m: float
    slew_zero_deg: float
    slew_clockwise: bool
    luffing: bool
    rail: tuple[float, float, float, float] | None
    rail_bearing_deg: float


@dataclass(frozen=True, slots=True)
class DrawnShape:
    """A polygon: a pit's edge, or a zone. `points` as SVG takes it; the label stands at `x`, `y`."""

    asset: str
    kind: str
    number: int
    points: str
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class DrawnPost:
    """What stands at one place: a mast, a camera post with what it looks at (`view`, SVG points, may be empty)."""

    asset: str
    kind: str
    x: float
    y: float
    view: str


@dataclass(frozen=True, slots=True)
class Drawing:
    """The whole plan. `bar_m` metres are `bar` units long. `unplaced` are the assets that nobody has placed."""

    width: float = 0.0
    height: float = 0.0
    units_per_m: float = 1.0
    bar_m: int = 0
    bar: float = 0.0
    cranes: tuple[DrawnCrane, ...] = ()
    shapes: tuple[DrawnShape, ...] = ()
    lines: tuple[str, ...] = ()
    posts: tuple[DrawnPost, ...] = ()
    unplaced: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class JibPose:
    """How a crane is to be drawn: its slewing axis at `x`, `y`, turned by `turn_deg`, trolley at `trolley` units.

    `turn_deg` is None when nobody ever said where the jib points, `trolley` when nobody ever said where the hook is.
    """

    x: float
    y: float
    turn_deg: float | None
    trolley: float | None


def draw(settings: Settings) -> Drawing:
    """The plan of this site; an empty drawing where nothing has a place."""
    shapes = _shapes(settings)
    corners = list(_extent(settings, shapes))
    shaped = {jib.asset for jib in shapes.jibs}
    unplaced = tuple(asset.id for asset in settings.assets if asset.id not in shaped and not _placed(asset))
    if not corners:
        return Drawing(unplaced=unplaced)
    frame = _Frame.around(corners)
    bar_m = max((step for step in BAR_STEPS_M if step * frame.scale <= BAR_UNITS), default=BAR_STEPS_M[0])
    return Drawing(
        width=frame.width,
        height=frame.height,
        units_per_m=frame.scale,
        bar_m=bar_m,
        bar=round(bar_m * frame.scale, 1),
        cranes=tuple(_crane(frame, jib) for jib in shapes.jibs),
        shapes=(*_outlines(frame, settings), *_areas(frame, shapes)),
        lines=tuple(frame.points(line) for line in shapes.lines),
        posts=tuple(_posts(frame, settings)),
        unplaced=unplaced,
    )


def jib_pose(drawing: Drawing, crane: DrawnCrane, slew_deg: float, radius_m: float, travel_m: float) -> JibPose:
    """Where this crane is drawn now. NaN is what nobody knows; a travel that nobody knows leaves it at its zero."""
    along = travel_m * drawing.units_per_m if crane.rail and isfinite(travel_m) else 0.0
    east, south = sin(radians(crane.rail_bearing_deg)), -cos(radians(crane.rail_bearing_deg))
    turned = slew_deg if crane.slew_clockwise else -slew_deg
    turn_deg = round((crane.slew_zero_deg + turned) % 360.0, 1) if isfinite(slew_deg) else None
    trolley = round(min(radius_m * drawing.units_per_m, crane.jib), 1) if isfinite(radius_m) else None
    return JibPose(round(crane.x + along * east, 1), round(crane.y + along * south, 1), turn_deg, trolley)


@dataclass(frozen=True, slots=True)
class _Frame:
    """From site metres to drawing units."""

    west_m: float
    north_m: float
    scale: float
    width: float
    height: float

    @classmethod
    def around(cls, corners: Sequence[PlanPoint]) -> "_Frame":
        """All corners within the margin, neither axis shorter than LEAST_SPAN_M."""
        xs, ys = [x for x, _ in corners], [y for _, y in corners]
        wide_m, high_m = max(max(xs) - min(xs), LEAST_SPAN_M), max(max(ys) - min(ys), LEAST_SPAN_M)
        scale = min((MOST_WIDE - 2 * MARGIN) / wide_m, (MOST_HIGH - 2 * MARGIN) / high_m)
        west_m = (max(xs) + min(xs) - wide_m) / 2 - MARGIN / scale
        north_m = (max(ys) + min(ys) + high_m) / 2 + MARGIN / scale
        return cls(west_m, north_m, scale, round(wide_m * scale + 2 * MARGIN, 1), round(high_m * scale + 2 * MARGIN, 1))

    def place(self, place: PlanPoint) -> PlanPoint:
        """East and north, metres, to right and down, units."""
        return round((place[0] - self.west_m) * self.scale, 1), round((self.north_m - place[1]) * self.scale, 1)

    def length(self, metres: float) -> float:
        """Metres to units."""
        return round(metres * self.scale, 1)

    def points(self, corners: Sequence[PlanPoint]) -> str:
        """As the `points` of a polygon."""
        return " ".join(f"{x:g},{y:g}" for x, y in map(self.place, corners))


def _shapes(settings: Settings) -> SiteShapes:
    """What the kinds of assets bring, together."""
    each = [kind.drawn(settings.assets, settings.plan) for kind in settings.kinds]
    return SiteShapes(
        tuple(jib for shapes in each for jib in shapes.jibs),
        tuple(area for shapes in each for area in shapes.areas),
        tuple(line for shapes in each for line in shapes.lines),
    )


def _placed(asset: AssetSettings) -> bool:
    plan = asset.plan
    return plan is not None and (plan.place is not None or plan.outline is not None)


def _extent(settings: Settings, shapes: SiteShapes) -> Iterator[PlanPoint]:
    """Corners of everything that is drawn."""
    for jib in shapes.jibs:
        for x, y in jib.rails or (jib.base,):
            reach_m = max(jib.jib_m, jib.counter_jib_m)
            yield from ((x - reach_m, y - reach_m), (x + reach_m, y + reach_m))
    for asset in settings.assets:
        yield from _corners_of(asset)
        yield from _view(asset)
    for area in shapes.areas:
        yield from area.corners
    for line in shapes.lines:
        yield from line


def _corners_of(asset: AssetSettings) -> list[PlanPoint]:
    if asset.plan is None:
        return []
    places = [*(asset.plan.outline or ()), *([asset.plan.place] if asset.plan.place else [])]
    return [(each.x_m, each.y_m) for each in places]


def _view(asset: AssetSettings) -> tuple[PlanPoint, ...]:
    """What a camera sees, as a polygon."""
    plan = asset.plan
    if plan is None or plan.place is None or plan.view is None:
        return ()
    place, half = (plan.place.x_m, plan.place.y_m), plan.view.angle_deg / 2
    bounds = (plan.view.bearing_deg - half) % 360, (plan.view.bearing_deg + half) % 360
    return sector(place, *bounds, 0.0, plan.view.range_m)


def _crane(frame: _Frame, jib: TurningJib) -> DrawnCrane:
    x, y = frame.place(jib.base)
    return DrawnCrane(
        asset=jib.asset,
        number=jib.number,
        x=x,
        y=y,
        reach=frame.length(jib.radius_max_m),
        jib=frame.length(jib.jib_m),
        counter_jib=frame.length(jib.counter_jib_m),
        radius_min_m=jib.radius_min_m,
        radius_max_m=jib.radius_max_m,
        slew_zero_deg=jib.slew_zero_deg,
        slew_clockwise=jib.slew_clockwise,
        luffing=jib.luffing,
        rail=(*frame.place(jib.rails[0]), *frame.place(jib.rails[1])) if jib.rails else None,
        rail_bearing_deg=jib.rail_bearing_deg,
    )


def _outlines(frame: _Frame, settings: Settings) -> Iterator[DrawnShape]:
    for asset in settings.assets:
        if asset.plan is not None and asset.plan.outline is not None:
            corners = [(each.x_m, each.y_m) for each in asset.plan.outline]
            yield _shape(frame, asset.id, str(asset.kind), 0, corners)


def _areas(frame: _Frame, shapes: SiteShapes) -> Iterator[DrawnShape]:
    for area in shapes.areas:
        yield _shape(frame, "", area.kind, area.number, area.corners)


def _shape(frame: _Frame, asset: str, kind: str, number: int, corners: Sequence[PlanPoint]) -> DrawnShape:
    x, y = frame.place(_middle(corners))
    return DrawnShape(asset, kind, number, frame.points(corners), x, y)


def _posts(frame: _Frame, settings: Settings) -> Iterator[DrawnPost]:
    for asset in settings.assets:
        if asset.plan is not None and asset.plan.place is not None and asset.plan.outline is None:
            x, y = frame.place((asset.plan.place.x_m, asset.plan.place.y_m))
            yield DrawnPost(asset.id, str(asset.kind), x, y, frame.points(_view(asset)))


def _middle(corners: Sequence[PlanPoint]) -> PlanPoint:
    """The middle of the area; of the corners where there is no area."""
    area, x, y = 0.0, 0.0, 0.0
    for (x1, y1), (x2, y2) in zip(corners, (*corners[1:], corners[0]), strict=True):
        cross = x1 * y2 - x2 * y1
        area, x, y = area + cross, x + (x1 + x2) * cross, y + (y1 + y2) * cross
    if abs(area) < 1e-6:
        return sum(x for x, _ in corners) / len(corners), sum(y for _, y in corners) / len(corners)
    return x / (3 * area), y / (3 * area)
