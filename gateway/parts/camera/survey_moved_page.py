"""The floor moved up: the lines of the newest drawing on a picture of now, each confirmed by a person with one tap.

    GET  /cameras/{camera}/survey/moved?preset=gate     a new picture, and where the lines are proposed to be
    POST /cameras/{camera}/survey/moved                 every line confirmed, or no longer there: a new version

    move.0.id   move.0.rise_m   move.0.aside (per cent)   move.0.larger   move.0.confirmed   move.0.gone

For SAFETY_OFFICER. A proposal is never taken by itself. Zones, names, lengths and kinds of protection stay as they are.
In: the desk of surveys and the eyes. Out: pages; after a mistake the same page with what was set.
"""

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from fastapi import FastAPI
from fastapi.responses import Response
from starlette.requests import Request

from gateway.model.errors import StoreError
from gateway.model.floor_rise import Move, Rise, raised, way_up
from gateway.model.survey import Edge, EdgeKind, Survey, SurveyError
from gateway.parts.camera.camera_desk import CameraDesk
from gateway.parts.camera.cameras_page import found
from gateway.parts.camera.survey_desk import (
    FLOOR_MOVED,
    Drawn,
    NoReferenceError,
    OvertakenError,
    SurveyDesk,
    plain,
)
from gateway.parts.camera.survey_form import SurveyRows, rows_of_survey
from gateway.parts.camera.survey_page import AGAIN, DRAWING_ROLE, KEPT_WITHIN_S, done_at, preset_of, who_draws
from gateway.parts.camera.survey_words import PROTECTIONS, with_faults
from gateway.web.pages import Pages
from gateway.web.visitor import require

_NUMBER: Final = re.compile(r"-?\d{1,4}(\.\d{1,6})?")
MOST_RISE_M: Final = 30.0
LARGER: Final = (0.3, 3.0)
Fields = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class MovedRow:
    """One edge on the page: where it is set to be, and what a person said of it. `way` is for the script: the line and
    the marks in per cent, each spot with what a metre up is there. `faults` are (Chinese, English)."""

    edge: Edge
    move: Move
    rise: Rise | None
    way: Mapping[str, Any]
    confirmed: bool = False
    gone: bool = False
    faults: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class MovedSheet:
    """The page: the newest survey of the preset, the picture of now (empty: none), a row for each edge."""

    survey: Survey
    picture: str
    rows: tuple[MovedRow, ...]
    fault: str = ""


class MovedPages:
    """Answers the requests of the page."""

    def __init__(self, pages: Pages, cameras: CameraDesk, surveys: SurveyDesk) -> None:
        self._pages = pages
        self._cameras = cameras
        self._surveys = surveys

    async def opened(self, request: Request, camera: str) -> Response:
        """A picture of now with proposals; back to the drawing page where no edge is drawn."""
        preset = preset_of(request.query_params.get("preset", ""))
        newest = self._surveys.newest(camera, preset)
        if newest is None or not newest.survey.edges:
            return done_at(camera, preset, "no_edges")
        eyes = self._cameras.eyes
        picture = await eyes.reference(camera) if eyes is not None else None
        if picture is None:
            said = self._pages.text(request, "There is no picture to draw on. The camera sends none now.")
            return self._page(request, camera, MovedSheet(newest.survey, "", (), said))
        digest = await self._surveys.hold(picture)
        rises = {rise.edge_id: rise for rise in await self._surveys.floor_rises(camera, digest, preset)}
        rows = [_row(newest.survey, edge, rises.get(edge.edge_id)) for edge in newest.survey.edges]
        return self._page(request, camera, MovedSheet(newest.survey, digest, tuple(rows)))

    async def sent(self, request: Request, camera: str) -> Response:
        """Where every line lies now that the camera has moved."""
        fields = await self._pages.form(request)
        preset = preset_of(fields.get("preset", ""))
        newest = self._surveys.newest(camera, preset)
        if newest is None or not newest.survey.edges:
            return done_at(camera, preset, "no_edges")
        sheet = MovedSheet(newest.survey, fields.get("picture", ""), _set_rows(newest.survey, fields))
        if not all(row.confirmed or row.gone for row in sheet.rows):
            said = self._pages.text(request, "Not saved: confirm every line, or say that it is no longer there")
            return self._page(request, camera, replace(sheet, fault=said), 422)
        return await self._kept(request, camera, sheet, fields)

    async def _kept(self, request: Request, camera: str, sheet: MovedSheet, fields: Fields) -> Response:
        survey, based_on = sheet.survey, fields.get("based_on", "")
        there = [row for row in sheet.rows if not row.gone]
        moved = replace(survey, edges=tuple(raised(row.edge, row.move, survey.edges) for row in there))
        zones, edges = plain(moved)
        number = int(based_on) if based_on.isascii() and based_on.isdecimal() and len(based_on) < 9 else 0
        drawn = Drawn(camera, zones, edges, sheet.picture, who_draws(request), number, 0, survey.preset, FLOOR_MOVED)
        try:
            async with asyncio.timeout(KEPT_WITHIN_S):
                await self._surveys.save(drawn, self._cameras.eyes)
        except SurveyError as error:
            faults = with_faults(SurveyRows((), rows_of_survey(moved).edges), error.faults)
            said = {row.edge.edge_id: told.faults for row, told in zip(there, faults.edges, strict=True)}
            rows = tuple(replace(row, faults=said.get(row.edge.edge_id, ())) for row in sheet.rows)
            text = self._pages.text(request, "Not saved: see the messages beside the rows")
            return self._page(request, camera, replace(sheet, rows=rows, fault=text), 422)
        except (OvertakenError, NoReferenceError):
            text = self._pages.text(request, "Not saved: the drawing or its picture changed meanwhile. Begin again")
            return self._page(request, camera, replace(sheet, fault=text), 409)
        except (StoreError, TimeoutError):
            return self._page(request, camera, replace(sheet, fault=self._pages.text(request, AGAIN)), 503)
        return done_at(camera, survey.preset, "floor_moved")

    def _page(self, request: Request, camera: str, sheet: MovedSheet, status: int = 200) -> Response:
        each = found(self._cameras, camera)
        return self._pages.render(request, "survey_moved.html", status, each=each, sheet=sheet, protections=PROTECTIONS)


def moved_routes(app: FastAPI, pages: Pages, cameras: CameraDesk, surveys: SurveyDesk) -> None:
    """Add the page and its parts to the application."""
    moved = MovedPages(pages, cameras, surveys)

    @app.get("/cameras/{camera}/survey/moved")
    async def opened(request: Request, camera: str) -> Response:
        """The page on which lines are set anew after a camera moved."""
        require(request, DRAWING_ROLE)
        found(cameras, camera)
        return await moved.opened(request, camera)

    @app.post("/cameras/{camera}/survey/moved")
    async def sent(request: Request, camera: str) -> Response:
        """Keep where the lines are now, or show what is wrong."""
        require(request, DRAWING_ROLE)
        found(cameras, camera)
        return await moved.sent(request, camera)


def _row(survey: Survey, edge: Edge, rise: Rise | None) -> MovedRow:
    move = Move(0.0) if rise is None else Move(rise.rise_m, 0.0, rise.larger)
    return MovedRow(edge, move, rise, _way(survey, edge))


def _set_rows(survey: Survey, fields: Fields) -> tuple[MovedRow, ...]:
    """A row for each edge of the survey, whatever came: an edge of which nothing came is not confirmed."""
    numbers = {fields[f"move.{n}.id"]: n for n in range(len(survey.edges)) if f"move.{n}.id" in fields}
    rows = []
    for edge in survey.edges:
        prefix = f"move.{numbers.get(edge.edge_id, 'none')}."
        rise, aside = (_number(fields.get(prefix + name, ""), 0.0) for name in ("rise_m", "aside"))
        larger = min(LARGER[1], max(LARGER[0], _number(fields.get(prefix + "larger", ""), 1.0)))
        move = Move(min(MOST_RISE_M, max(-MOST_RISE_M, rise)), min(1.0, max(-1.0, aside / 100)), larger)
        confirmed, gone = (bool(fields.get(prefix + name)) for name in ("confirmed", "gone"))
        rows.append(MovedRow(edge, move, None, _way(survey, edge), confirmed, gone))
    return tuple(rows)


def _number(text: str, otherwise: float) -> float:
    text = text.strip().replace(",", ".")
    return float(text) if _NUMBER.fullmatch(text) else otherwise


def _way(survey: Survey, edge: Edge) -> Mapping[str, Any]:
    def spot(at: Sequence[float]) -> list[float]:
        return _per_cent((*at, *way_up(edge, (at[0], at[1]), survey.edges)))

    tops = [(mark.top[0] - mark.foot[0], mark.top[1] - mark.foot[1]) for mark in edge.marks]
    marks = [[*spot(mark.foot), *_per_cent(top)] for mark, top in zip(edge.marks, tops, strict=True)]
    return {"line": [spot(at) for at in edge.line], "marks": marks, "closed": edge.kind is EdgeKind.OPENING}


def _per_cent(parts: Sequence[float]) -> list[float]:
    return [round(100 * part, 3) for part in parts]
