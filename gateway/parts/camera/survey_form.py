"""The form of the drawing page: what a person typed or drew, as rows that can be shown again, and as plain data.

    zone.0.id  zone.0.title  zone.0.use   zone.0.points  zone.0.remove  zone.0.site
    edge.0.id  edge.0.title  edge.0.kind  edge.0.points  edge.0.remove  edge.0.length_m  edge.0.protection
    edge.0.mark.0.foot  edge.0.mark.0.top  edge.0.mark.0.height_m         and mark.1

`points` has one point a line, `x, y` in per cent of the picture (0 is left and top). Marks are two such points. `site`
has one place a line, east and north in metres, for the points of a ground. In:
form fields, or a survey. Out: rows, and data for `read_survey`. Pure. A line that is no point goes on as it was typed:
whoever reads the survey says so, and the page shows it again.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from gateway.model.survey import Edge, EdgeKind, Protection, RailMark, Spot, Survey, Zone, ZoneUse

Fields = Mapping[str, str]
_ROW: Final = re.compile(r"(zone|edge)\.(\d{1,3})\.id")
_POINT: Final = re.compile(r"\s*(-?\d+(?:[.,]\d+)?)\s*[,;，；\s]\s*(-?\d+(?:[.,]\d+)?)\s*")
_PLACE: Final = re.compile(r"(-?\d{1,9}(?:\.\d+)?)\s*[,;，；\s]\s*(-?\d{1,9}(?:\.\d+)?)")
_NUMBER: Final = re.compile(r"\d+(?:[.,]\d+)?")


@dataclass(frozen=True, slots=True)
class MarkRow:
    """A rail mark as typed: two points and a height in metres."""

    foot: str = ""
    top: str = ""
    height_m: str = "1.2"


@dataclass(frozen=True, slots=True)
class ZoneRow:
    """A zone as typed. `faults` are (Chinese, English), for this row alone."""

    shape_id: str
    title: str = ""
    use: str = ZoneUse.WATCHED
    points: str = ""
    faults: tuple[tuple[str, str], ...] = ()
    site: str = ""


@dataclass(frozen=True, slots=True)
class EdgeRow:
    """An edge as it was typed, row by row."""

    shape_id: str
    title: str = ""
    kind: str = EdgeKind.FLOOR_EDGE
    points: str = ""
    length_m: str = ""
    marks: tuple[MarkRow, MarkRow] = field(default_factory=lambda: (MarkRow(), MarkRow()))
    faults: tuple[tuple[str, str], ...] = ()
    protection: str = Protection.UNKNOWN


@dataclass(frozen=True, slots=True)
class SurveyRows:
    """Everything on the page. `faults` belong to no row."""

    zones: tuple[ZoneRow, ...] = ()
    edges: tuple[EdgeRow, ...] = ()
    faults: tuple[tuple[str, str], ...] = ()


def rows_of_survey(survey: Survey) -> SurveyRows:
    """A version as it is edited."""
    return SurveyRows(tuple(map(_zone_row, survey.zones)), tuple(map(_edge_row, survey.edges)))


def rows_of_form(fields: Fields) -> SurveyRows:
    """What came back, in its order, without rows that are to go and rows in which nothing stands."""
    found = sorted((match[1], int(match[2])) for name in fields if (match := _ROW.fullmatch(name)))
    zones = tuple(_typed_zone(fields, f"zone.{number}.") for kind, number in found if kind == "zone")
    edges = tuple(_typed_edge(fields, f"edge.{number}.") for kind, number in found if kind == "edge")
    return SurveyRows(tuple(filter(None, zones)), tuple(filter(None, edges)))


def with_new(rows: SurveyRows, what: str) -> SurveyRows:
    """The rows with one more empty one of this kind."""
    if what == "zone":
        return SurveyRows((*rows.zones, ZoneRow(_free("zone", [row.shape_id for row in rows.zones]))), rows.edges)
    return SurveyRows(rows.zones, (*rows.edges, EdgeRow(_free("edge", [row.shape_id for row in rows.edges]))))


def zones_of(rows: Sequence[ZoneRow]) -> list[dict[str, Any]]:
    """For `read_survey`. Only a ground has places on the site, whatever stands in their field."""
    return [
        {
            "zone_id": row.shape_id,
            "title": row.title,
            "use": row.use,
            "outline": points_of(row.points),
            "site_m": _places_of(row.site) if row.use == ZoneUse.GROUND else [],
        }
        for row in rows
    ]


def edges_of(rows: Sequence[EdgeRow]) -> list[dict[str, Any]]:
    """For `read_survey`. An opening has no marks, whatever stands in their fields."""
    return [
        {
            "edge_id": row.shape_id,
            "title": row.title,
            "kind": row.kind,
            "line": points_of(row.points),
            "length_m": _number(row.length_m),
            "marks": [] if row.kind == EdgeKind.OPENING else [_mark(mark) for mark in row.marks],
            "protection": row.protection or Protection.UNKNOWN,
        }
        for row in rows
    ]


def points_of(text: str) -> list[list[float] | str]:
    """A point a line, as fractions; a line that is no point as it stands."""
    return [_point(line) for line in text.splitlines() if line.strip()]


def points_text(spots: Sequence[Spot]) -> str:
    """The same as a person edits it."""
    return "\n".join(_spot_text(spot) for spot in spots)


def _point(line: str) -> list[float] | str:
    found = _POINT.fullmatch(line)
    if found is None:
        return line.strip()
    return [round(float(part.replace(",", ".")) / 100, 6) for part in found.groups()]


def _places_of(text: str) -> list[list[float] | str]:
    """A place a line, in metres; a line that is none as it stands."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    found = [(line, _PLACE.fullmatch(line)) for line in lines]
    return [line if pair is None else [float(part) for part in pair.groups()] for line, pair in found]


def _mark(row: MarkRow) -> dict[str, Any]:
    return {"foot": _point(row.foot), "top": _point(row.top), "height_m": _number(row.height_m)}


def _number(text: str) -> float | str:
    text = text.strip()
    return float(text.replace(",", ".")) if _NUMBER.fullmatch(text) and len(text) < 20 else text


def _spot_text(spot: Spot) -> str:
    return ", ".join(f"{100 * part:.2f}".rstrip("0").rstrip(".") for part in spot)


def _zone_row(zone: Zone) -> ZoneRow:
    site = "\n".join(f"{east:.12g}, {north:.12g}" for east, north in zone.site_m)
    return ZoneRow(zone.zone_id, zone.title, zone.use, points_text(zone.outline), site=site)


def _edge_row(edge: Edge) -> EdgeRow:
    marks = [_mark_row(mark) for mark in edge.marks]
    both = (*marks, MarkRow(), MarkRow())[:2]
    length = f"{edge.length_m:g}"
    points, marked = points_text(edge.line), (both[0], both[1])
    return EdgeRow(edge.edge_id, edge.title, edge.kind, points, length, marked, protection=edge.protection)


def _mark_row(mark: RailMark) -> MarkRow:
    return MarkRow(_spot_text(mark.foot), _spot_text(mark.top), f"{mark.height_m:g}")


def _typed_zone(fields: Fields, prefix: str) -> ZoneRow | None:
    def said(name: str) -> str:
        return fields.get(prefix + name, "").strip()

    if said("remove") or not (said("title") or said("points")):
        return None
    return ZoneRow(said("id"), said("title"), said("use"), _lines(said("points")), site=_lines(said("site")))


def _typed_edge(fields: Fields, prefix: str) -> EdgeRow | None:
    def said(name: str) -> str:
        return fields.get(prefix + name, "").strip()

    def mark(number: int) -> MarkRow:
        return MarkRow(*(said(f"mark.{number}.{name}") for name in ("foot", "top", "height_m")))

    if said("remove") or not (said("title") or said("points")):
        return None
    marks, points = (mark(0), mark(1)), _lines(said("points"))
    shape, length, stands = (said("id"), said("title"), said("kind")), said("length_m"), said("protection")
    return EdgeRow(*shape, points, length, marks, protection=stands or Protection.UNKNOWN)


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _free(kind: str, taken: Sequence[str]) -> str:
    """A name that no row of the page bears."""
    return next(name for number in range(1, 1000) if (name := f"{kind}-{number}") not in taken)
