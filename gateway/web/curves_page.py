"""S5, the curves: choose an asset, up to four of its points and a span; the same as a table, a picture and a file.

    /curves?asset=crane-1&point=...&span=1h|8h|1d|7d|30d|90d|custom[&from=2026-11-22T08:00&to=...]
    /curves/values?...   the values as tables, with the sentences that say what the curve shows
    /curves.svg?...      the picture;  /curves.csv?...   the file (both take what `/api/curve` takes)

In: the view over the box. Out: pages that work without script. All data is read in `curve_data`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Final, TypeVar
from urllib.parse import urlencode

from fastapi import FastAPI, Query
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from gateway.model.quantity import Point
from gateway.web.curve_csv import curves_csv
from gateway.web.curve_data import PointCurve, read_curves
from gateway.web.curve_panel import panel_of_points
from gateway.web.curve_question import MAX_POINTS, CurveQuery, Question, question_of
from gateway.web.curve_routes import NO_CURVE, curve_routes
from gateway.web.curve_rows import table_lines
from gateway.web.curve_svg import CurvePicture
from gateway.web.curve_words import UNKNOWN_WORDS, summaries
from gateway.web.pages import Pages
from gateway.web.read_model import AssetView, BoxParts
from gateway.web.visitor import Role, require
from screens.formats import SITE_ZONE, site_time
from screens.published import CSV, SVG, operation

SPANS: Final = {
    "1h": (3600, "Last hour"),
    "8h": (8 * 3600, "Last 8 hours"),
    "1d": (86_400, "Last day"),
    "7d": (7 * 86_400, "Last 7 days"),
    "30d": (30 * 86_400, "Last 30 days"),
    "90d": (90 * 86_400, "Last 90 days"),
}
CUSTOM: Final = "custom"
CRANE_PRESETS: Final = (
    ("load and moment", ("moment_pct", "load_t")),
    ("wind", ("wind_ms", "wind_3s_ms", "gust_3s_ms")),
    ("position", ("radius_m", "hook_m", "slew_deg")),
)
NOT_KNOWN: Final = "Unknown point or asset"
TOO_MANY: Final = "Choose at most four points"
NO_TIME: Final = "This is no time: %(text)s"
BACKWARDS: Final = "The end must be after the beginning"
ERRORS: Final = (NOT_KNOWN, TOO_MANY, NO_TIME, BACKWARDS)
RATE: Final = "_rate"
TABLE_ROWS: Final = 200
"""Of all points together; a quarter of a table at most is intervals of unknown, unless there are more of them."""
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Preset:
    """Points that are usually looked at together. `title` is a text to translate, or empty: the first point's title."""

    title: str
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """What the page shows: what was chosen, as it was typed, and what is wrong with it."""

    asset: AssetView | None
    points: tuple[Point, ...]
    span: str
    begins: str
    ends: str
    error: str = ""
    error_value: str = ""

    def query(self, **changed: str) -> str:
        """The page's address with something changed."""
        known = {"asset": self.asset.asset if self.asset else "", "span": self.span}
        if self.span == CUSTOM and "span" not in changed:
            known |= {"from": self.begins, "to": self.ends}
        return _address(known | changed, self.points)

    def of(self, points: Sequence[Point]) -> str:
        """The page's address with other points."""
        known = {"asset": self.asset.asset if self.asset else "", "span": self.span}
        times = {"from": self.begins, "to": self.ends} if self.span == CUSTOM else {}
        return _address(known | times, points)


class CurvesQuery(CurveQuery):
    """The page's query. Times are those of the site, as `<input type="datetime-local">` writes them."""

    asset: Annotated[str, Query(max_length=200)] = ""
    span: Annotated[str, Query(max_length=10)] = "1h"
    begins: Annotated[str, Query(alias="from", max_length=40)] = ""
    ends: Annotated[str, Query(alias="to", max_length=40)] = ""


def curves_routes(app: FastAPI, pages: Pages) -> None:
    """The page, its table, picture and file, and `/api/curve`."""
    curve_routes(app, pages)
    _file_routes(app, pages)

    @app.get("/curves")
    async def curves(request: Request, query: Annotated[CurvesQuery, Query()]) -> Response:
        require(request, Role.VIEWER)
        return _page(pages, request, chosen(pages.view.parts, query))


def _file_routes(app: FastAPI, pages: Pages) -> None:
    @app.get("/curves/values")
    async def values(request: Request, query: Annotated[CurveQuery, Query()]) -> Response:
        require(request, Role.VIEWER)
        question = _table_question(question_of(pages.view.parts, query))
        return await run_in_threadpool(_values, pages, request, question)

    @app.get("/curves.csv", **operation("readings", "Curves as a table", CSV, NO_CURVE))
    async def file(request: Request, query: Annotated[CurveQuery, Query()]) -> Response:
        require(request, Role.VIEWER)
        question = question_of(pages.view.parts, query)
        text = await _read(pages, question, curves_csv)
        name = f"curve-{site_time(question.wanted.from_ns):%Y%m%d-%H%M%S}.csv"
        headers = {"content-disposition": f'attachment; filename="{name}"'}
        return Response(text, media_type="text/csv; charset=utf-8", headers=headers)

    @app.get("/curves.svg", **operation("readings", "Curves as a drawing", SVG, NO_CURVE))
    async def picture(request: Request, query: Annotated[CurveQuery, Query()]) -> Response:
        require(request, Role.VIEWER)
        question = question_of(pages.view.parts, query)
        chinese = pages.language(request) == "zh-CN"
        svg = await _read(pages, question, lambda read: CurvePicture(read, question.wanted, chinese=chinese).svg())
        return Response(svg, media_type="image/svg+xml")


async def _read(pages: Pages, question: Question, made_of: Callable[[list[PointCurve]], T]) -> T:
    """Read the curves and make something of them, beside the event loop."""
    parts = pages.view.parts
    return await run_in_threadpool(lambda: made_of(read_curves(parts, question.wanted, question.sealed)))


def _page(pages: Pages, request: Request, choice: Choice) -> Response:
    parts = pages.view.parts
    span = {} if choice.error or not choice.points else _span(choice)
    panel = panel_of_points(parts, choice.points, span) if span else None
    return pages.render(
        request,
        "curves.html",
        422 if choice.error else 200,
        choice=choice,
        curve=panel,
        assets=parts.assets,
        points=_points_of(parts, choice.asset),
        presets=presets_of(parts, choice.asset),
        spans=[(name, text, _last_query(choice, seconds)) for name, (seconds, text) in SPANS.items()],
        custom=CUSTOM,
        most=MAX_POINTS,
    )


def chosen(parts: BoxParts, query: CurvesQuery) -> Choice:
    """What was asked for, filled up with what a visitor most likely wants."""
    points = tuple(
        parts.points[parts.points.index_of[p]] for p in dict.fromkeys(query.point) if p in parts.points.index_of
    )
    assets = {asset.asset: asset for asset in parts.assets}
    asset = assets.get(query.asset or (points[0].asset if points else next(iter(assets), "")))
    points = tuple(point for point in points if asset is not None and point.asset == asset.asset)
    if not points and not query.point:
        points = next((preset.points for preset in presets_of(parts, asset)), _points_of(parts, asset)[:1])
    span = query.span if query.span in (*SPANS, CUSTOM) else "1h"
    begins, ends = _typed(parts, query)
    return _checked(Choice(asset, points, span, begins, ends), query)


def presets_of(parts: BoxParts, asset: AssetView | None) -> list[Preset]:
    """The usual choices of an asset: by name for a crane, cumulative value and rate for each point of a pit."""
    points = {point.quantity: point for point in _points_of(parts, asset)}
    named = [
        Preset(title, tuple(points[key] for key in keys if key in points))
        for title, keys in CRANE_PRESETS
        if asset is not None and asset.kind == "tower-crane"
    ]
    pairs = [
        Preset("", (point, points[key + RATE]))
        for key, point in points.items()
        if asset is not None and asset.kind == "deep-pit" and key + RATE in points
    ]
    return [preset for preset in (*named, *pairs) if preset.points]


def _checked(choice: Choice, query: CurvesQuery) -> Choice:
    """The choice, or what is wrong with it."""
    if choice.asset is None or (query.point and not choice.points):
        return replace(choice, error=NOT_KNOWN)
    if len(choice.points) > MAX_POINTS:
        return replace(choice, error=TOO_MANY)
    if choice.span != CUSTOM:
        return choice
    for text in (choice.begins, choice.ends):
        if _site_ns(text) is None:
            return replace(choice, error=NO_TIME, error_value=text)
    if (_site_ns(choice.ends) or 0) <= (_site_ns(choice.begins) or 0):
        return replace(choice, error=BACKWARDS)
    return choice


def _typed(parts: BoxParts, query: CurvesQuery) -> tuple[str, str]:
    """The times as they were typed; the last hour until somebody typed any."""
    now_ns = parts.clock.now_ns()
    begins = query.begins or f"{site_time(now_ns - 3600 * 10**9):%Y-%m-%dT%H:%M}"
    return begins, query.ends or f"{site_time(now_ns):%Y-%m-%dT%H:%M}"


def _site_ns(text: str) -> int | None:
    """UTC ns of a time on the site's clock."""
    try:
        moment = datetime.fromisoformat(text)
        at = moment if moment.tzinfo else moment.replace(tzinfo=SITE_ZONE)
        return max(0, int(at.timestamp()) * 10**9)
    except (ValueError, OverflowError):
        return None


def _span(choice: Choice) -> dict[str, int]:
    if choice.span != CUSTOM:
        return {"last_s": SPANS[choice.span][0]}
    return {"from_ns": _site_ns(choice.begins) or 0, "to_ns": _site_ns(choice.ends) or 0}


def _last_query(choice: Choice, seconds: int) -> str:
    return urlencode([*(("point", point.point_id) for point in choice.points), ("last_s", seconds)])


def _address(values: Mapping[str, str], points: Sequence[Point]) -> str:
    return urlencode([*values.items(), *(("point", point.point_id) for point in points)])


def _points_of(parts: BoxParts, asset: AssetView | None) -> tuple[Point, ...]:
    return tuple(point for point in parts.points.points if asset is not None and point.asset == asset.asset)


def _table_question(question: Question) -> Question:
    """As much of it as fits a table."""
    rows = TABLE_ROWS // max(1, len(question.wanted.points))
    wanted = replace(question.wanted, samples=rows * 3 // 4, intervals=max(4, rows // 8))
    return replace(question, wanted=wanted)


def _values(pages: Pages, request: Request, question: Question) -> Response:
    curves = read_curves(pages.view.parts, question.wanted, question.sealed)
    language = pages.language(request)
    said = summaries(curves, lambda msgid, **values: pages.text(request, msgid, **values), language)
    rows = TABLE_ROWS // max(1, len(curves))
    tables = [
        {"curve": curve, "summary": words, "lines": table_lines(curve.series)[:rows]}
        for curve, words in zip(curves, said, strict=True)
    ]
    template = "curve_values_part.html" if "x-part" in request.headers else "curve_values.html"
    words = _words(pages, request)
    return pages.render(request, template, tables=tables, unknown_words=words, question=question)


def _words(pages: Pages, request: Request) -> Sequence[str]:
    """Why nothing is known, by the number of the reason."""
    return ["", *(pages.text(request, word) for _, word in sorted(UNKNOWN_WORDS.items()))]
