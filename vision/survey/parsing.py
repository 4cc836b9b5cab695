"""Reads one version of a camera's survey from plain data (a JSON document, a page's form), or says all that is wrong.

In: what `Survey.document()` wrote, as `json.loads` gives it. Out: a `Survey`. Every fault is collected before
`SurveyError` is raised, each as `where: what was found, what was expected`, so that a person mends the drawing once.
Does not know where surveys are kept, nor the picture they were drawn on.
"""

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from enum import StrEnum
from typing import Any, Final, TypeVar

from gateway.model.survey import (
    PROTECTIONS_OF,
    Edge,
    EdgeKind,
    Protection,
    RailMark,
    Spot,
    Survey,
    SurveyError,
    Zone,
    ZoneUse,
)
from vision.survey.ground import ground_of

MOST_ZONES: Final = 16
MOST_EDGES: Final = 16
MOST_SPOTS: Final = 32
MOST_TEXT: Final = 80
MOST_FAULTS: Final = 50
LENGTH_M: Final = (0.3, 200.0)
"""Below a step no rail is asked for; a camera that sees 200 m of edge does not resolve a rail on it."""
RAIL_HEIGHT_M: Final = (0.3, 3.0)
SITE_M: Final = (-1e7, 1e7)
"""East and north: a site's own grid, or the country's."""
LEAST_SPAN: Final = 0.01
"""Of the frame: a line or a mark shorter than a hundredth of the picture cannot be judged."""

_Choice = TypeVar("_Choice", bound=StrEnum)
_Item = TypeVar("_Item")


def read_survey(data: object) -> Survey:
    """One version of a survey. Raises SurveyError with every fault found (at most 50)."""
    faults = _Faults()
    survey = _survey(data, faults)
    if faults.said or survey is None:
        raise SurveyError(tuple(faults.said[:MOST_FAULTS]))
    return survey


class _Faults:
    """What is wrong so far."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def add(self, where: str, found: str, expected: str) -> None:
        """Note a fault: where, what was found, what was expected."""
        self.said.append(f"{where}: {found}; expected {expected}")

    def table(self, data: object, where: str, keys: Sequence[str]) -> Mapping[str, Any]:
        """The table that stands here, its keys checked."""
        if not isinstance(data, Mapping):
            self.add(where, _shown(data), f"an object with {', '.join(keys)}")
            return {}
        for key in data:
            if key not in keys:
                self.add(f"{where}.{_shown(key)}", "unknown key", f"one of {', '.join(keys)}")
        return data

    def rows(self, data: object, where: str, least: int, most: int) -> Sequence[object]:
        """The rows that stand here, between `least` and `most`."""
        if not isinstance(data, (list, tuple)):
            self.add(where, _shown(data), "a list")
            return ()
        if not least <= len(data) <= most:
            self.add(where, f"{len(data)} entries", f"{least} to {most}")
        return data[:most]

    def text(self, data: object, where: str, least: int = 1) -> str:
        """The text that stands here, at least this long."""
        if not isinstance(data, str) or not least <= len(data) <= MOST_TEXT or not data.isprintable():
            self.add(where, _shown(data), f"{least} to {MOST_TEXT} printable characters")
            return ""
        return data

    def number(self, data: object, where: str, low: float, high: float) -> float:
        """The number that stands here, between `low` and `high`."""
        good = isinstance(data, (int, float)) and not isinstance(data, bool) and abs(data) < 1e18
        if not good or not low <= data <= high:  # type: ignore[operator]
            self.add(where, _shown(data), f"a number from {low:g} to {high:g}")
            return math.nan
        return float(data)  # type: ignore[arg-type]

    def digest(self, data: object, where: str) -> str:
        """The SHA-256 that stands here, as 64 hex digits."""
        if not isinstance(data, str) or (data and (len(data) != 64 or set(data) - set("0123456789abcdef"))):
            self.add(where, _shown(data), "64 hexadecimal digits in lower case, or empty")
            return ""
        return data

    def whole(self, data: object, where: str) -> int:
        """The whole number that stands here, 0 or more."""
        if not isinstance(data, int) or isinstance(data, bool) or not 0 <= data < 2**63:
            self.add(where, _shown(data), "a whole number, 0 or more")
            return 0
        return data

    def choice(self, data: object, where: str, kind: type[_Choice], otherwise: _Choice) -> _Choice:
        """The member that the word here names, else `otherwise`."""
        try:
            return kind(str(data))
        except ValueError:
            self.add(where, _shown(data), f"one of {', '.join(kind)}")
            return otherwise

    def spot(self, data: object, where: str) -> Spot:
        """The spot that stands here, as shares of the picture."""
        if not isinstance(data, (list, tuple)) or len(data) != 2:
            self.add(where, _shown(data), "x and y as fractions of the picture")
            return (math.nan, math.nan)
        x, y = (
            float(part)
            if isinstance(part, (int, float)) and not isinstance(part, bool) and abs(part) < 1e9
            else math.nan
            for part in data
        )
        if not (0 <= x <= 1 and 0 <= y <= 1):
            self.add(where, f"({_shown(data[0])}, {_shown(data[1])})", "a spot inside the picture, x and y from 0 to 1")
            return (math.nan, math.nan)
        return (x, y)

    def spots(self, data: object, where: str, least: int) -> tuple[Spot, ...]:
        """The spots that stand here, at least this many."""
        rows = self.rows(data, where, least, MOST_SPOTS)
        return tuple(self.spot(row, f"{where}[{n}]") for n, row in enumerate(rows))


def _survey(data: object, faults: _Faults) -> Survey | None:
    table = faults.table(data, "survey", [part.name for part in fields(Survey)])
    if not isinstance(data, Mapping):
        return None
    digest, by_night = (faults.digest(table.get(name, ""), name) for name in ("reference_sha256", "night_sha256"))
    zones = _each(table.get("zones", ()), "zones", MOST_ZONES, _zone, faults)
    edges = _each(table.get("edges", ()), "edges", MOST_EDGES, _edge, faults)
    _twice([zone.zone_id for zone in zones], "zones", "zone_id", faults)
    _twice([edge.edge_id for edge in edges], "edges", "edge_id", faults)
    if edges and not digest and isinstance(table.get("reference_sha256", ""), str):
        faults.add("reference_sha256", "none although edges are drawn", "the digest of the picture they were drawn on")
    if by_night and not digest:
        faults.add("night_sha256", "a reference by night alone", "one by day as well: the edges are drawn on that")
    return Survey(
        camera=faults.text(table.get("camera"), "camera"),
        version=faults.whole(table.get("version"), "version"),
        made_at_ns=faults.whole(table.get("made_at_ns"), "made_at_ns"),
        made_by=faults.text(table.get("made_by", ""), "made_by", least=0),
        reference_sha256=digest,
        zones=tuple(zones),
        edges=tuple(edges),
        night_sha256=by_night,
        preset=faults.text(table.get("preset", ""), "preset", least=0),
    )


def _each(
    data: object, where: str, most: int, read: Callable[[object, str, _Faults], _Item], faults: _Faults
) -> list[_Item]:
    return [read(row, f"{where}[{n}]", faults) for n, row in enumerate(faults.rows(data, where, 0, most))]


def _zone(data: object, where: str, faults: _Faults) -> Zone:
    table = faults.table(data, where, ("zone_id", "title", "use", "outline", "site_m"))
    use = faults.choice(table.get("use"), f"{where}.use", ZoneUse, ZoneUse.WATCHED)
    ground = use is ZoneUse.GROUND
    outline = faults.spots(table.get("outline"), f"{where}.outline", 4 if ground else 3)
    _check_outline(outline, f"{where}.outline", faults)
    zone = Zone(
        zone_id=faults.text(table.get("zone_id"), f"{where}.zone_id"),
        title=faults.text(table.get("title"), f"{where}.title"),
        use=use,
        outline=outline,
        site_m=_places(table.get("site_m", ()), f"{where}.site_m", len(outline) if ground else 0, faults),
    )
    if ground:
        _check_ground(zone, f"{where}.site_m", faults)
    return zone


def _places(data: object, where: str, wanted: int, faults: _Faults) -> tuple[tuple[float, float], ...]:
    """East and north of each point, in the points' order."""
    places = []
    for n, row in enumerate(faults.rows(data, where, wanted, wanted)):
        pair = row if isinstance(row, (list, tuple)) and len(row) == 2 else (row, row)
        east, north = (faults.number(part, f"{where}[{n}]", *SITE_M) for part in pair)
        places.append((east, north))
    return tuple(places)


def _check_ground(zone: Zone, where: str, faults: _Faults) -> None:
    if len(zone.outline) < 4 or len(zone.site_m) != len(zone.outline) or not _whole((*zone.outline, *zone.site_m)):
        return
    try:
        ground_of(zone)
    except ValueError as error:
        faults.add(where, str(error), "the true places of the points on level ground, in the points' order")


def _edge(data: object, where: str, faults: _Faults) -> Edge:
    table = faults.table(data, where, ("edge_id", "title", "kind", "line", "length_m", "marks", "protection"))
    kind = faults.choice(table.get("kind"), f"{where}.kind", EdgeKind, EdgeKind.FLOOR_EDGE)
    opening = kind is EdgeKind.OPENING
    line = faults.spots(table.get("line"), f"{where}.line", 3 if opening else 2)
    if opening:
        _check_outline(line, f"{where}.line", faults)
    else:
        _check_line(line, f"{where}.line", faults)
    wanted = 0 if opening else 2
    rows = faults.rows(table.get("marks", ()), f"{where}.marks", wanted, wanted)
    marks = tuple(_mark(row, f"{where}.marks[{n}]", faults) for n, row in enumerate(rows))
    _check_marks(marks, line, where, faults)
    said = table.get("protection", Protection.UNKNOWN)
    protection = faults.choice(said, f"{where}.protection", Protection, Protection.UNKNOWN)
    if protection not in PROTECTIONS_OF[kind]:
        faults.add(f"{where}.protection", _shown(said), f"one of {', '.join(PROTECTIONS_OF[kind])}")
    return Edge(
        edge_id=faults.text(table.get("edge_id"), f"{where}.edge_id"),
        title=faults.text(table.get("title"), f"{where}.title"),
        kind=kind,
        line=line,
        length_m=faults.number(table.get("length_m"), f"{where}.length_m", *LENGTH_M),
        marks=marks,
        protection=protection,
    )


def _mark(data: object, where: str, faults: _Faults) -> RailMark:
    table = faults.table(data, where, ("foot", "top", "height_m"))
    foot, top = (faults.spot(table.get(key), f"{where}.{key}") for key in ("foot", "top"))
    if _whole((foot, top)) and foot[1] - top[1] < LEAST_SPAN:
        faults.add(where, "its top is not above its foot", f"the top at least {LEAST_SPAN:g} of the picture higher")
    return RailMark(foot, top, faults.number(table.get("height_m"), f"{where}.height_m", *RAIL_HEIGHT_M))


def _check_marks(marks: Sequence[RailMark], line: Sequence[Spot], where: str, faults: _Faults) -> None:
    """Two marks, one towards either end: between them the scale is interpolated, so they must stand apart."""
    feet = [mark.foot for mark in marks]
    if len(marks) != 2 or len(line) < 2 or not _whole((*feet, *line)):
        return
    if math.dist(*feet) < LEAST_SPAN:
        faults.add(f"{where}.marks", "both stand on one spot", "one towards either end of the line")
    for n, foot in enumerate(feet):
        off = min(_off_segment(foot, a, b) for a, b in itertools.pairwise(line))
        if off > 0.05:
            faults.add(f"{where}.marks[{n}].foot", f"{off:.2f} of the picture away from the line", "a foot on the line")


def _check_line(line: Sequence[Spot], where: str, faults: _Faults) -> None:
    if len(line) < 2 or not _whole(line):
        return
    for n, (a, b) in enumerate(itertools.pairwise(line)):
        if math.dist(a, b) < LEAST_SPAN / 2:
            faults.add(f"{where}[{n + 1}]", "the same spot as the one before", "spots that are apart")
    if sum(math.dist(a, b) for a, b in itertools.pairwise(line)) < LEAST_SPAN:
        faults.add(where, "too short to be judged", f"at least {LEAST_SPAN:g} of the picture")


def _check_outline(outline: Sequence[Spot], where: str, faults: _Faults) -> None:
    if len(outline) < 3 or not _whole(outline):
        return
    sides = list(zip(outline, [*outline[1:], outline[0]], strict=True))
    for n, (a, b) in enumerate(sides):
        for m in range(n + 1, len(sides)):
            neighbours = m == n + 1 or (n == 0 and m == len(sides) - 1)
            if not neighbours and _cross(a, b, *sides[m]):
                faults.add(where, f"sides {n} and {m} cross", "an outline that does not cross itself")
                return
    area = abs(sum(a[0] * b[1] - b[0] * a[1] for a, b in sides)) / 2
    if area < LEAST_SPAN**2:
        faults.add(where, f"an area of {area:.2g} of the picture", f"at least {LEAST_SPAN**2:g}")


def _twice(names: Sequence[str], where: str, key: str, faults: _Faults) -> None:
    for name in sorted({name for name in names if name and names.count(name) > 1}):
        faults.add(where, f"{key} {_shown(name)} is used twice", "one name each")


def _cross(a: Spot, b: Spot, c: Spot, d: Spot) -> bool:
    """Whether two segments meet: each one's ends lie on both sides of the other (touching counts)."""
    return _side(a, b, c) * _side(a, b, d) <= 0 and _side(c, d, a) * _side(c, d, b) <= 0


def _side(a: Spot, b: Spot, c: Spot) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def _off_segment(spot: Spot, a: Spot, b: Spot) -> float:
    along = (spot[0] - a[0]) * (b[0] - a[0]) + (spot[1] - a[1]) * (b[1] - a[1])
    part = min(1.0, max(0.0, along / max(math.dist(a, b) ** 2, 1e-12)))
    return math.dist(spot, (a[0] + part * (b[0] - a[0]), a[1] + part * (b[1] - a[1])))


def _whole(spots: Sequence[Spot]) -> bool:
    """False where a spot was faulty already: what follows from it is not said a second time."""
    return not any(math.isnan(part) for spot in spots for part in spot)


def _shown(data: object) -> str:
    text = repr(data)
    return text if len(text) <= 40 else f"{text[:37]}..."
