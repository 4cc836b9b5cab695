"""The cameras as one part: drawings, own scores, hooks, pages, metrics, and what a regulator may see of them.

In: the eyes (None where no camera is configured), what of `vision` draws and compares, kept pictures. Out: versions of
drawings and scores in force, pages. Decodes no picture.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from fastapi import FastAPI

from contract.canonical import Canonical
from contract.mailbox import LiveViewRequest
from gateway.evidence.evidence import RecordKind
from gateway.line.part import LinePart
from gateway.line.recorder import Entry
from gateway.line.reload import Change
from gateway.media.part import MediaPart
from gateway.media.rendition import SmallPicture
from gateway.model.floor_rise import Rise
from gateway.model.night_picture import NightLook
from gateway.model.picture import Picture
from gateway.model.survey import Survey
from gateway.model.verdict import Truth
from gateway.part import Job, Part, Stop
from gateway.parts.camera.alarm_pictures import alarm_picture_routes
from gateway.parts.camera.hook_feed import HookFeed
from gateway.parts.camera.metrics import CameraCollector, camera_metrics
from gateway.parts.camera.routes import camera_routes
from gateway.parts.camera.score_desk import ScoreDesk
from gateway.parts.camera.score_store import ScoreStore
from gateway.parts.camera.survey_desk import SurveyDesk
from gateway.parts.camera.survey_store import SurveyStore
from gateway.ports import Eyes
from gateway.uplinks.regulator import RegulatorUplink
from gateway.uplinks.regulator_sights import Sights
from gateway.web.view_log import Viewed


@dataclass(frozen=True, slots=True)
class Sight:
    """What `vision` brings: the eye that looks (`look` runs as a job); what reads, compares and shrinks pictures."""

    look: Callable[[], Awaitable[None]]
    read_survey: Callable[[object], Survey]
    night_look: Callable[[Survey, bytes, bytes], NightLook]
    has_moved: Callable[[bytes, bytes], Truth]
    floor_rises: Callable[[Survey, bytes, bytes], Sequence[Rise]]
    small: Callable[[Picture], SmallPicture]


class CameraPart(Part[Change]):
    """`surveys` keeps every version of what is drawn."""

    def __init__(
        self,
        line: LinePart,
        eyes: Callable[[], Eyes | None],
        sight: Sight,
        media: MediaPart,
        regulators: Sequence[RegulatorUplink],
    ) -> None:
        alerts, folder = line.stores.alerts, line.stores.folder
        self._eyes, self._look, self._media = eyes, sight.look, media
        self._recorder, self._clock = line.recorder, line.clock
        around = alerts, line.recorder, line.clock
        drawings = SurveyStore(folder, sight.read_survey)
        self.surveys = SurveyDesk(drawings, sight.read_survey, *around, sight.night_look, sight.has_moved)
        self.surveys.propose_rises = sight.floor_rises
        self._scores = ScoreDesk(ScoreStore(folder), *around, eyes)
        self._hooks = HookFeed(eyes, lambda: line.window, line.clock)
        for uplink in regulators:
            uplink.show(Sights(eyes, sight.small, self._seen_from_afar))

    def routes(self, app: FastAPI) -> None:
        """Pages, live video, an alarm's pictures, metrics."""
        shelf = self._media.shelf
        camera_routes(app, app.state.pages, self._eyes, self.surveys)
        camera_metrics(app, CameraCollector(self._eyes, lambda: shelf.held_bytes, lambda: shelf.max_bytes))
        alarm_picture_routes(app, app.state.pages, app.state.alarm_desk, self._media.desk)

    def jobs(self) -> Sequence[Job]:
        """Looking, and what is told to the eyes."""
        return (
            Job("eye", self._look, Stop.FIELD),
            Job("camera scores", self._scores.run),
            Job("hooks", self._hooks.run),
        )

    async def resume(self) -> None:
        """Drawings that a kill left unsealed; every camera is judged by its newest."""
        await self.surveys.resume(self._eyes())

    async def reloaded(self) -> None:
        """The cameras may be others: they are judged by their drawings too."""
        await self.surveys.resume(self._eyes())

    async def _seen_from_afar(self, request: LiveViewRequest) -> None:
        """Somebody at the regulator is about to watch: on this site's record first."""
        content: dict[str, Canonical] = {
            "event": str(Viewed.LIVE),
            "user": f"审查台 regulator: {request.requested_by_role}",
            "target": request.camera_id,
            "detail": request.reason,
            "address": "",
        }
        entry = Entry(RecordKind.MEDIA_VIEWED, self._clock.now_ns(), content, about=f"view:{request.camera_id}")
        await self._recorder.record(entry)
