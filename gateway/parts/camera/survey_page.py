"""The drawing page of a camera: zones, edges and rail marks on a reference picture, in versions.

    GET  /cameras/{camera}/survey                    the newest version to draw on; ?version=2 an old one
    GET  /cameras/{camera}/survey?picture=new        the same on a new reference picture
    GET  /cameras/{camera}/survey/{sha256}.jpg       a reference picture
    GET  /cameras/{camera}/survey?night=new          the newest version with a picture of now, to be its one by night
    POST /cameras/{camera}/survey                    do = save | zone | edge (one more row) | again (with `version`)
                                                     | night (with `night` and `confirmed`) | night_out | given_up

`preset`, in the address and in the form, names the preset of a camera that turns. All for SAFETY_OFFICER. Faces in
reference pictures are blurred already. In: the desk of surveys and the eyes. Out: pages; after a mistake the same page
with everything that was typed. Works without script.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import urlencode

from fastapi import FastAPI
from fastapi.responses import RedirectResponse, Response
from starlette.requests import Request

from gateway.model.errors import StoreError
from gateway.model.night_picture import NightLook, NightPictureError
from gateway.model.survey import PROTECTIONS_OF, EdgeKind, Protection, SurveyError, ZoneUse
from gateway.parts.camera.camera_desk import CameraDesk
from gateway.parts.camera.cameras_page import found
from gateway.parts.camera.survey_desk import (
    GIVEN_UP,
    MOST_PRESETS,
    Drawn,
    MovedError,
    NightGiven,
    NoEdgesError,
    NoReferenceError,
    OvertakenError,
    SurveyDesk,
    plain,
)
from gateway.parts.camera.survey_form import (
    Fields,
    SurveyRows,
    edges_of,
    rows_of_form,
    rows_of_survey,
    with_new,
    zones_of,
)
from gateway.parts.camera.survey_night_words import night_words
from gateway.parts.camera.survey_store import KeptSurvey
from gateway.parts.camera.survey_words import PROTECTIONS, with_faults
from gateway.web.answer_fields import CameraId, Sha256
from gateway.web.pages import Pages
from gateway.web.visitor import RefusedError, Role, require, visitor_of
from screens.published import JPEG, operation

DRAWING_ROLE: Final = Role.SAFETY_OFFICER
KEPT_WITHIN_S: Final = 20.0
MOST_PRESET: Final = 40
NO_PICTURE: Final = {404: "No such camera or picture"}
NOTICES: Final = {
    "floor_moved": "Saved as a new version at the new height and sealed. The camera uses it from now on.",
    "no_edges": "No edge is drawn yet. There is nothing to move up.",
    "given_up": "The preset is given up. The camera is not looked for there any more.",
    "saved": "Saved as a new version and sealed. The camera uses it from now on.",
    "night_left": (
        "Saved as a new version and sealed, without the night reference, because the lines or their picture changed. "
        "Take a new night reference and confirm it."
    ),
}
AGAIN: Final = "It could not be saved. Try again"
NIGHT_REFUSED: Final[Mapping[type[Exception], tuple[str, int]]] = {
    NightPictureError: ("Not saved: this picture cannot be the night reference", 422),
    NoEdgesError: ("No edge is drawn. A night reference is only for edges", 409),
    NoReferenceError: ("The night picture no longer exists. Take a new one", 409),
    SurveyError: (AGAIN, 503),
    StoreError: (AGAIN, 503),
    TimeoutError: (AGAIN, 503),
}
USES: Final = {
    ZoneUse.WATCHED: "watched: helmets are asked for",
    ZoneUse.EXEMPT: "exempt: no helmet needed",
    ZoneUse.DANGER: "danger zone: nobody is to be in it",
    ZoneUse.GROUND: "ground: its corners have site coordinates",
}
KINDS: Final = {
    EdgeKind.FLOOR_EDGE: "floor edge",
    EdgeKind.PIT_EDGE: "pit edge",
    EdgeKind.OPENING: "opening with a cover",
}


@dataclass(frozen=True, slots=True)
class Sheet:
    """What the page shows: rows on a picture, from `shown_version` (0: of a new drawing); `based_on` is the newest
    version of the preset when it was opened; `picture` is the digest of the reference, empty when there is none."""

    rows: SurveyRows
    picture: str
    based_on: int
    shown_version: int
    fault: str = ""
    night: "NightSheet | None" = None
    preset: str = ""


@dataclass(frozen=True, slots=True)
class NightSheet:
    """A picture that is to be the reference by night: its digest, and how it lies over the one by day. `faults` are
    (Chinese, English)."""

    picture: str
    look: NightLook
    faults: tuple[tuple[str, str], ...]


class SurveyPages:
    """Answers every request of the page on which edges are drawn."""

    def __init__(self, pages: Pages, cameras: CameraDesk, surveys: SurveyDesk) -> None:
        self._pages = pages
        self._cameras = cameras
        self._surveys = surveys

    async def opened(self, request: Request, camera: str) -> Response:
        """The page as it is first seen."""
        return self._page(request, camera, await self._sheet(request, camera))

    async def picture(self, camera: str, sha256: str) -> Response:
        """A reference picture of this camera by its digest."""
        try:
            body = await self._surveys.reference(camera, sha256)
        except NoReferenceError:
            raise RefusedError(404, "no_such_picture", "没有这张画面", "no such picture", "picture") from None
        return Response(body, media_type="image/jpeg")

    async def sent(self, request: Request, camera: str) -> Response:
        """Take the form that was sent, or show its faults."""
        fields = await self._pages.form(request)
        if fields.get("do") in ("zone", "edge"):
            rows = with_new(rows_of_form(fields), fields["do"])
            return self._page(request, camera, _typed(rows, fields))
        if fields.get("do") == "again":
            return await self._again(request, camera, _number(fields.get("version", "")), fields)
        if fields.get("do") in ("night", "night_out"):
            return await self._night_sent(request, camera, fields)
        rows = rows_of_form(fields)
        typed = _typed(rows, fields)
        zones, edges = zones_of(rows.zones), edges_of(rows.edges)
        drawn = Drawn(camera, zones, edges, typed.picture, who_draws(request), typed.based_on, preset=typed.preset)
        if fields.get("do") == GIVEN_UP:
            drawn = replace(drawn, event=GIVEN_UP)
        return await self._kept(request, camera, drawn, typed)

    async def _night_sent(self, request: Request, camera: str, fields: Fields) -> Response:
        """A picture by night that a person confirmed, or the wish to leave out the one there is."""
        picture = fields.get("night", "") if fields["do"] == "night" else ""
        based_on = _number(fields.get("based_on", ""))
        preset = preset_of(fields.get("preset", ""))
        sheet = await self._newest_sheet(camera, picture, preset)
        if fields["do"] == "night" and not (picture and fields.get("confirmed")):
            said = self._pages.text(request, "Not saved: first confirm that the protection stands along every line")
            return self._page(request, camera, replace(sheet, fault=said), 422)
        given = NightGiven(camera, picture, who_draws(request), based_on, preset)
        try:
            async with asyncio.timeout(KEPT_WITHIN_S):
                await self._surveys.keep_night(given, self._cameras.eyes)
        except OvertakenError as error:
            return self._page(request, camera, replace(sheet, fault=self._overtaken(request, error)), 409)
        except tuple(NIGHT_REFUSED) as error:
            text, status = NIGHT_REFUSED[type(error)]
            return self._page(request, camera, replace(sheet, fault=self._pages.text(request, text)), status)
        return done_at(camera, preset, "saved")

    async def _newest_sheet(self, camera: str, night: str, preset: str) -> Sheet:
        """The newest version of a preset, with a picture by night that is looked at (empty: none)."""
        newest = self._surveys.newest(camera, preset)
        if newest is None:
            return Sheet(SurveyRows(), "", 0, 0, preset=preset)
        survey = newest.survey
        sheet = Sheet(rows_of_survey(survey), survey.reference_sha256, survey.version, survey.version, preset=preset)
        return replace(sheet, night=await self._looked_at(camera, night, preset)) if night else sheet

    async def _looked_at(self, camera: str, picture: str, preset: str) -> NightSheet | None:
        try:
            look = await self._surveys.look_at_night(camera, picture, preset)
        except (NoEdgesError, NoReferenceError):
            return None
        return NightSheet(picture, look, night_words(look.faults))

    def _overtaken(self, request: Request, error: OvertakenError) -> str:
        return self._pages.text(
            request,
            "%(user)s saved version %(number)s after you opened this page. Your drawing was not saved",
            user=error.newest.made_by,
            number=error.newest.version,
        )

    async def _again(self, request: Request, camera: str, version: int, fields: Fields) -> Response:
        """An old version taken up again: a new one with its content."""
        old = self._version(camera, version).survey
        zones, edges = plain(old)
        based_on, who = _number(fields.get("based_on", "")), who_draws(request)
        drawn = Drawn(camera, zones, edges, old.reference_sha256, who, based_on, version, old.preset)
        sheet = Sheet(rows_of_survey(old), old.reference_sha256, based_on, version)
        return await self._kept(request, camera, drawn, sheet)

    async def _kept(self, request: Request, camera: str, drawn: Drawn, typed: Sheet) -> Response:
        try:
            async with asyncio.timeout(KEPT_WITHIN_S):
                before = self._surveys.newest(camera, drawn.preset)
                keep = self._surveys.give_up if drawn.event == GIVEN_UP else self._surveys.save
                kept = await keep(drawn, self._cameras.eyes)
        except SurveyError as error:
            rows = with_faults(typed.rows, error.faults)
            said = self._pages.text(request, "Not saved: see the messages beside the rows")
            return self._page(request, camera, replace(typed, rows=rows, fault=said), 422)
        except OvertakenError as error:
            return self._page(request, camera, replace(typed, fault=self._overtaken(request, error)), 409)
        except MovedError:
            said = self._pages.text(
                request,
                "The camera has moved since version %(number)s was drawn. Nothing was saved. Take a new reference "
                "picture and draw on it",
                number=drawn.copied_from,
            )
            return self._page(request, camera, replace(typed, fault=said), 409)
        except NoReferenceError:
            said = self._pages.text(request, "The picture that you drew on no longer exists. Take a new one")
            return self._page(request, camera, replace(typed, picture="", fault=said), 409)
        except (StoreError, TimeoutError):
            said = self._pages.text(request, "It could not be saved. Try again")
            return self._page(request, camera, replace(typed, fault=said), 503)
        had_night = before is not None and bool(before.survey.night_sha256)
        done = GIVEN_UP if kept.given_up else "night_left" if had_night and not kept.night_sha256 else "saved"
        return done_at(camera, "" if kept.given_up else kept.preset, done)

    async def _sheet(self, request: Request, camera: str) -> Sheet:
        asked, wanted = request.query_params, _number(request.query_params.get("version", ""))
        old = self._version(camera, wanted) if wanted else None
        preset = old.survey.preset if old else self._wanted(camera, asked.get("preset"))
        newest = self._surveys.newest(camera, preset)
        if newest is not None and asked.get("night") == "new":
            return await self._night_sheet(request, camera, preset)
        based_on = newest.survey.version if newest else 0
        base = old or newest
        rows = rows_of_survey(base.survey) if base else SurveyRows()
        if base is not None and asked.get("picture") != "new":
            return Sheet(rows, base.survey.reference_sha256, based_on, base.survey.version, preset=preset)
        eyes = self._cameras.eyes
        picture = await eyes.reference(camera) if eyes is not None else None
        digest = await self._surveys.hold(picture) if picture is not None else ""
        return Sheet(rows, digest, based_on, base.survey.version if base else 0, preset=preset)

    def _wanted(self, camera: str, asked: str | None) -> str:
        """The preset that is asked for; without a word the only view, or the first preset of a camera that turns."""
        if asked is not None:
            return preset_of(asked)
        in_force = self._surveys.in_force(camera)
        return "" if "" in in_force else next(iter(in_force), "")

    async def _night_sheet(self, request: Request, camera: str, preset: str) -> Sheet:
        """The newest version with a picture of now."""
        eyes = self._cameras.eyes
        picture = await eyes.reference(camera) if eyes is not None else None
        if picture is None:
            said = self._pages.text(request, "There is no night picture. The camera sends none now.")
            return replace(await self._newest_sheet(camera, "", preset), fault=said)
        return await self._newest_sheet(camera, await self._surveys.hold(picture), preset)

    def _version(self, camera: str, number: int) -> KeptSurvey:
        kept = next((each for each in self._surveys.versions(camera) if each.survey.version == number), None)
        if kept is None:
            raise RefusedError(404, "no_such_version", "没有这个版本", "no such version", "version")
        return kept

    def _page(self, request: Request, camera: str, sheet: Sheet, status: int = 200) -> Response:
        done = NOTICES.get(request.query_params.get("done", "")) if status == 200 else None
        in_force = self._surveys.in_force(camera)
        return self._pages.render(
            request,
            "survey.html",
            status,
            each=found(self._cameras, camera),
            sheet=sheet,
            versions=list(reversed(self._surveys.versions(camera))),
            store_faults=self._surveys.faults(camera),
            uses=USES,
            kinds=KINDS,
            protections=PROTECTIONS,
            protections_of=PROTECTIONS_OF,
            tape=Protection.TAPE,
            opening=EdgeKind.OPENING,
            newest=in_force[sheet.preset].survey if sheet.preset in in_force else None,
            in_force=in_force,
            turns=any(in_force),
            most_presets=MOST_PRESETS,
            notice=self._pages.text(request, done) if done else "",
        )


def survey_routes(app: FastAPI, pages: Pages, cameras: CameraDesk, surveys: SurveyDesk) -> None:
    """Add the drawing page."""
    drawing = SurveyPages(pages, cameras, surveys)

    @app.get("/cameras/{camera}/survey")
    async def survey(request: Request, camera: str) -> Response:
        """The page on which a camera's edges are drawn."""
        require(request, DRAWING_ROLE)
        found(cameras, camera)
        return await drawing.opened(request, camera)

    @app.get("/cameras/{camera}/survey/{sha256}.jpg", **operation("cameras", "A reference picture", JPEG, NO_PICTURE))
    async def picture(request: Request, camera: CameraId, sha256: Sha256) -> Response:
        require(request, DRAWING_ROLE)
        found(cameras, camera)
        return await drawing.picture(camera, sha256)

    @app.post("/cameras/{camera}/survey")
    async def sent(request: Request, camera: str) -> Response:
        """Keep what was drawn, or show what is wrong with it."""
        require(request, DRAWING_ROLE)
        found(cameras, camera)
        return await drawing.sent(request, camera)


def _typed(rows: SurveyRows, fields: Fields) -> Sheet:
    picture, based_on = fields.get("picture", ""), _number(fields.get("based_on", ""))
    shown, preset = _number(fields.get("shown_version", "")), preset_of(fields.get("preset", ""))
    return Sheet(rows, picture, based_on, shown, preset=preset)


def preset_of(text: str) -> str:
    """The name of a preset as it was typed."""
    return " ".join(text.split())[:MOST_PRESET]


def done_at(camera: str, preset: str, done: str) -> Response:
    """Back to the drawing page of the preset, with one of the notices."""
    asked = urlencode({"done": done} | ({"preset": preset} if preset else {}))
    return RedirectResponse(f"/cameras/{camera}/survey?{asked}", 303)


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 9 else 0


def who_draws(request: Request) -> str:
    """The person, as versions name them."""
    visitor = visitor_of(request)
    return visitor.name or visitor.kind.value
