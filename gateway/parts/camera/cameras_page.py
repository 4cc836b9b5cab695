"""S4, the cameras: how each one is and what it shows, once a second; and the page of one camera.

    GET /cameras                        all of them
    GET /cameras/{camera}               one, with its figures and what it found
    GET /cameras/{camera}/still.jpg     the newest still, faces blurred; 204 before the first
    GET /parts/cameras                  the state of each, for a page that is open

A still says beside its pixels what is in it: `x-boxes` (JSON rows of x1, y1, x2, y2, class, score, track in pixels),
`x-size` (width, height) and `x-age-ms` by the box's clock. In: the desk. Out: pages and pictures. Changes nothing.
"""

import asyncio
import json
from collections.abc import Sequence
from typing import Any, Final

from fastapi import FastAPI
from fastapi.responses import Response
from starlette.requests import Request

from gateway.model.picture import Picture
from gateway.parts.camera.camera_desk import CameraDesk, ShownCamera
from gateway.parts.camera.survey_words import PROTECTIONS
from gateway.web.answer_fields import CameraId
from gateway.web.pages import Pages
from gateway.web.view_log import VIDEO_ROLE
from gateway.web.visitor import RefusedError, Role, require
from screens.published import JPEG, operation

Box = tuple[float, float, float, float, int, float, int]
MOST_BOXES: Final = 60
"""What fits into a header; a picture with more heads than this is shown without the rest of its boxes."""
STILL: Final = {404: "No camera has this id"}
NOT_YET: Final = {204: {"description": "No still yet"}, 304: {"description": "The browser has this very still"}}


def cameras_routes(app: FastAPI, pages: Pages, desk: CameraDesk) -> None:
    """Add S4 and the page of one camera."""
    pages.environment.globals["camera_desk"] = desk

    @app.get("/cameras")
    async def cameras(request: Request) -> Response:
        """The page with a card for every camera."""
        require(request, Role.VIEWER)
        return pages.render(request, "cameras.html", cameras=desk.cameras(), video_role=VIDEO_ROLE)

    @app.get("/parts/cameras")
    async def states(request: Request) -> Response:
        """How every camera is now, for the page's script."""
        require(request, Role.VIEWER)
        return pages.render(request, "cameras_states.html", cameras=desk.cameras())

    async def rendered(request: Request, camera: str, template: str) -> Response:
        """One camera through this template, as page or part."""
        require(request, Role.VIEWER)
        shown, figures = found(desk, camera), desk.figures(camera)
        past = await asyncio.to_thread(desk.past, shown)
        drawn = desk.eyes.surveys(camera) if desk.eyes is not None else ()
        about: dict[str, Any] = {
            "each": shown,
            "figures": figures,
            "past": past,
            "drawn": drawn,
            "sight": desk.sight(camera),
        }
        return pages.render(request, template, **about, protections=PROTECTIONS, video_role=VIDEO_ROLE)

    @app.get("/cameras/{camera}")
    async def one(request: Request, camera: str) -> Response:
        """The page of one camera of the site."""
        return await rendered(request, camera, "camera.html")

    @app.get("/parts/cameras/{camera}/figures")
    async def figures(request: Request, camera: str) -> Response:
        """The figures of one camera, renewed while somebody looks."""
        return await rendered(request, camera, "camera_figures.html")

    @app.get("/cameras/{camera}/still.jpg", **_still_operation())
    async def still(request: Request, camera: CameraId) -> Response:
        require(request, Role.VIEWER)
        found(desk, camera)
        picture = desk.still(camera)
        if picture is None:
            return Response(status_code=204)
        return picture_answer(request, picture, pages.now_ns())


def _still_operation() -> dict[str, Any]:
    known = operation("cameras", "The newest still, faces blurred", JPEG, STILL)
    return known | {"responses": known["responses"] | NOT_YET}


def found(desk: CameraDesk, camera: str) -> ShownCamera:
    """The camera of this name; raises RefusedError (404) where there is none."""
    shown = desk.camera(camera)
    if shown is None:
        raise RefusedError(404, "no_such_camera", "没有这个摄像机", "no such camera", "camera")
    return shown


def picture_answer(request: Request, picture: Picture, now_ns: int) -> Response:
    """A JPEG with what is in it, or 304 when the browser has this very picture."""
    headers = {
        "etag": f'"{picture.sha256}"',
        "cache-control": "no-store",
        "x-age-ms": str(max(0, (now_ns - picture.captured_at_ns) // 1_000_000)),
        "x-size": f"{picture.width_px} {picture.height_px}",
        "x-boxes": boxes_text(picture.boxes),
    }
    if request.headers.get("if-none-match") == headers["etag"]:
        return Response(status_code=304, headers=headers)
    return Response(picture.body, media_type=picture.media_type, headers=headers)


def boxes_text(boxes: Sequence[Box]) -> str:
    """Boxes as compact JSON, whole pixels."""
    rows = [[*(round(edge) for edge in box[:4]), box[4], round(box[5], 2), box[6]] for box in boxes[:MOST_BOXES]]
    return json.dumps(rows, separators=(",", ":"))
