"""Live video: asking for it with a reason, watching it, stopping.

GET  /live/{code}/{camera}              who may watch, what is recorded, the form
POST /live/{code}/{camera}              ask the box; on to the view
GET  /live/views/{view}                 the view: asking, waiting, playing, over
POST /live/views/{view}/renew           the page is still there; how it stands, as JSON
POST /live/views/{view}/stop            enough
GET  /live/views/{view}/stream.mp4      fragmented MP4 as the camera encoded it, while the view is held
"""

import asyncio
from dataclasses import dataclass
from typing import Annotated, Final, Literal

from fastapi import FastAPI, Path, Request
from fastapi.responses import RedirectResponse, Response, StreamingResponse
from pydantic import Field

from kit.web.published_pages import takes_form
from regulator.base.cameras import camera_names
from regulator.base.desk import Desk
from regulator.base.model.actor import Actor
from regulator.base.model.refusals import RefusedError
from regulator.base.records.scope import require_project
from regulator.base.web.forms import Form
from regulator.base.web.pages import Pages
from regulator.base.web.picture_permissions import ASKERS
from regulator.base.web.visitor import presence_of
from regulator.parts.live.office import LiveOffice, View, Wish
from regulator.parts.live.relay import Relay
from regulator.parts.live.states import MOST_NS, SECOND_NS, UNANSWERED_NS, LiveStage
from regulator.parts.live.watching import watched
from screens.answers import json_answer
from screens.published import MP4, Answer, operation

Code = Annotated[str, Path(max_length=64, pattern=r"^[0-9A-Za-z_.-]+$")]
Camera = Annotated[str, Path(max_length=200, pattern=r"^[^\x00]+$")]
ViewId = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]
NO_VIEW: Final = {404: "There is no such view, or it is somebody else's"}
NOT_PLAYING: Final = NO_VIEW | {409: "There is no picture yet"}


class ViewAnswer(Answer):
    """How a live view stands."""

    stage: Literal["asked", "opening", "playing", "ended", "refused"]
    words: Annotated[str, Field(description="The same in the visitor's language", examples=["正在打开摄像机"])]
    over: Annotated[bool, Field(description="Whether it has ended for good")]


RENEW: Final = operation("wall", "The page is still there; how the view stands", ViewAnswer, NO_VIEW) | takes_form("")


@dataclass(frozen=True, slots=True)
class Live:
    """What the pages need."""

    office: LiveOffice
    relay: Relay


def live_pages(desk: Desk, live: Live, app: FastAPI, pages: Pages) -> None:
    """The routes."""
    _watching(desk, app, pages, live)
    _asking(desk, app, pages, live)


def _asking(desk: Desk, app: FastAPI, pages: Pages, live: Live) -> None:
    @app.get("/live/{code}/{camera}")
    def ask(request: Request, code: Code, camera: Camera) -> Response:
        """The page on which live pictures of a camera are asked for."""
        actor = pages.actor(request, *ASKERS)
        with desk.database.reading() as db:
            require_project(db, actor, code)
            name = camera_names(db, code).get(camera, camera)
        minutes = MOST_NS // SECOND_NS // 60
        return pages.render(request, "live_ask.html", code=code, camera=camera, name=name, minutes=minutes)

    @app.post("/live/{code}/{camera}")
    def asked(request: Request, code: Code, camera: Camera, form: Form) -> Response:
        """Ask the box for live pictures, with a reason."""
        actor = pages.actor(request, *ASKERS)
        wish = Wish(actor, presence_of(request).session.session_id, code, camera, form["reason"])
        with desk.database.transaction() as db:
            viewer_id = live.office.ask(db, wish, desk.now_ns())
        return RedirectResponse(f"/live/views/{viewer_id}", 303)


def _watching(desk: Desk, app: FastAPI, pages: Pages, live: Live) -> None:
    @app.get("/live/views/{view}")
    def page(request: Request, view: ViewId) -> Response:
        """The page on which live pictures are watched."""
        actor = pages.actor(request, *ASKERS)
        with desk.database.reading() as db:
            found = live.office.view(db, actor, view)
            name = camera_names(db, found.project_code).get(found.camera_id, found.camera_id)
        stands = _stands(pages, request, found)
        return pages.render(request, "live_view.html", view=found, name=name, stands=stands)

    @app.post("/live/views/{view}/renew", **RENEW)
    def renew(request: Request, view: ViewId, form: Form) -> Response:
        actor = pages.actor(request, *ASKERS)
        assert form is not None  # read for its token
        with desk.database.transaction() as db:
            live.office.renew(db, actor, view, desk.now_ns())
            found = live.office.view(db, actor, view)
        return json_answer(_stands(pages, request, found))

    @app.post("/live/views/{view}/stop")
    def stop(request: Request, view: ViewId, form: Form) -> Response:
        """Stop watching; the box stops when nobody is left."""
        actor = pages.actor(request, *ASKERS)
        assert form is not None
        with desk.database.transaction() as db:
            live.office.stop(db, actor, view, desk.now_ns())
        return RedirectResponse(f"/live/views/{view}", 303)

    @app.get("/live/views/{view}/stream.mp4", **operation("wall", "The video while it is held", MP4, NOT_PLAYING))
    def stream(request: Request, view: ViewId) -> Response:
        actor = pages.actor(request, *ASKERS)
        with desk.database.transaction() as db:
            found = live.office.view(db, actor, view)
            if found.stage is not LiveStage.PLAYING:
                words = ("尚无画面", "there is no picture yet")
                raise RefusedError(409, "not_playing", *words, "view")
            live.office.begin(db, actor, view, desk.now_ns())
        body = watched(live.relay, found.request_id, lambda: asyncio.to_thread(_goes_on, desk, live, actor, view))
        headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
        return StreamingResponse(body, media_type="video/mp4", headers=headers)


def _goes_on(desk: Desk, live: Live, actor: Actor, view: str) -> bool:
    """Whether the view is held: a lease that nobody renewed ends it here, too, before the sweep has come by."""
    with desk.database.reading() as db:
        return live.office.is_held(db, actor, view, desk.now_ns())


def _stands(pages: Pages, request: Request, view: View) -> dict[str, object]:
    """How a view stands, for the page and its script."""
    return {"stage": view.stage.value, "words": _words(pages, request, view), "over": view.ended}


def _words(pages: Pages, request: Request, view: View) -> str:
    if view.stage in (LiveStage.ENDED, LiveStage.REFUSED):
        why = ""
        if view.reason is not None:
            why = view.reason.zh if pages.language(request) == "zh-CN" else view.reason.en
        first = "The box refuses" if view.stage is LiveStage.REFUSED else "The view has ended"
        return ": ".join(part for part in (pages.text(request, first), why, view.words) if part)
    waited_ns = pages.now_ns() - view.asked_at_ns
    if view.stage is LiveStage.ASKED and waited_ns > UNANSWERED_NS:
        late = "No answer for %(seconds)s s. The box may be too old or not connected"
        return pages.text(request, late, seconds=waited_ns // SECOND_NS)
    said = {
        LiveStage.ASKED: "Asked; the box has not fetched the message yet",
        LiveStage.OPENING: "The box has the request and is opening the camera",
        LiveStage.PLAYING: "Live. This look is on record.",
    }
    return pages.text(request, said[view.stage])
