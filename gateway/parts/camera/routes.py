"""Everything about cameras on the web face, put together: `sitewarden.composition.box` calls this once.

    camera_routes(app, pages, eyes, surveys)     eyes: a callable; None where no camera is configured

In: the application, the pages, the eyes, what is drawn. Out: the desk, for what else wants to know how cameras are.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from fastapi import FastAPI

from gateway.parts.camera.camera_desk import CameraDesk
from gateway.parts.camera.cameras_page import cameras_routes
from gateway.parts.camera.live_page import ROOM, live_routes
from gateway.parts.camera.survey_desk import SurveyDesk
from gateway.parts.camera.survey_moved_page import moved_routes
from gateway.parts.camera.survey_page import survey_routes
from gateway.ports import Eyes
from gateway.web.pages import Pages
from gateway.web.view_log import KEPT_WITHIN_S, ViewLog
from screens.stream_quota import Room


@dataclass(frozen=True, slots=True)
class LookBounds:
    """How many live views a box gives at once, and how soon a look must be on record (s) to be given."""

    room: Room = ROOM
    on_record_within_s: float = KEPT_WITHIN_S


LOOKS: Final = LookBounds()


def camera_routes(
    app: FastAPI, pages: Pages, eyes: Callable[[], Eyes | None], surveys: SurveyDesk, looks: LookBounds = LOOKS
) -> CameraDesk:
    """Add the camera pages, stills, live video and the drawing page."""
    parts = pages.view.parts
    desk = CameraDesk(pages.view, eyes)
    views = ViewLog(parts.recorder, parts.clock, looks.on_record_within_s)
    cameras_routes(app, pages, desk)
    live_routes(app, pages, desk, views, looks.room)
    survey_routes(app, pages, desk, surveys)
    moved_routes(app, pages, desk, surveys)
    return desk
