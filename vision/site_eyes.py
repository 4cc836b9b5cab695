"""All cameras of a box as the screens and the keeper of evidence ask for them: the port `Eyes`.

In: the running camera drivers and the hub of the eye. Out: states, stills, fired scenes, clips, live video, surveys.
Knows no web face; who may see what is decided by whoever asks.
"""

import hashlib
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence

from gateway.model.camera_scores import CameraScores
from gateway.model.hook import HookPose
from gateway.model.picture import CameraLink, CameraState, FiredScene, Picture
from gateway.model.sight import CameraSight
from gateway.model.survey import Survey
from vision.camera.capture_handle import CaptureHandle
from vision.driver import CameraDriver, SeenCamera
from vision.eye_hub import EyeHub
from vision.picture.finding import Ailment, FindingKind
from vision.sight.keeping import SightBooks

Titles = Mapping[str, tuple[str, str]]
"""Chinese and English title by asset id."""


class SiteEyes:
    """The port `gateway.ports.Eyes`. `use` tells it the drivers that run now; it keeps the surveys and the books
    of what each camera could judge over reloads."""

    def __init__(self, hub: EyeHub, titles: Callable[[], Titles], books: SightBooks | None = None) -> None:
        self.hub = hub
        self.books = books or SightBooks()
        self._titles = titles
        self._drivers: tuple[CameraDriver, ...] = ()

    def use(self, drivers: Sequence[CameraDriver]) -> None:
        """These are the cameras from now on. Before they run."""
        self._drivers = tuple(drivers)
        for driver in drivers:
            driver.hub, driver.books = self.hub, self.books

    def __bool__(self) -> bool:
        """Whether there is any camera."""
        return bool(self._drivers)

    def cameras(self) -> Sequence[CameraState]:
        """All of them in the order of the site file."""
        return [self._state(driver, seen) for driver in self._drivers for seen in driver.seen.values()]

    def still(self, camera: str) -> Picture | None:
        """The newest still, faces blurred."""
        return self._seen(camera)[1].still

    def fired(self, camera: str, key: str) -> FiredScene | None:
        """The newest confirmation of a finding, not blurred."""
        return self._seen(camera)[1].fired.get(key)

    def sight(self, camera: str, now_ns: int) -> CameraSight:
        """What it could judge of the people it saw."""
        self._seen(camera)
        return self.books.of(camera).view(now_ns)

    async def reference(self, camera: str) -> Picture | None:
        """A whole frame at full size, faces blurred, to draw on."""
        self._seen(camera)
        return await self.hub.reference(camera)

    async def clip(self, camera: str, from_ns: int, to_ns: int) -> Picture:
        """MP4 of the packets between two times of the box's clock. Raises LookupError with the reason."""
        clip = await self._capture(camera).clip(from_ns, to_ns)
        digest = hashlib.sha256(clip.body).hexdigest()
        return Picture(camera, clip.from_ns, 0, clip.width_px, clip.height_px, "video/mp4", clip.body, digest)

    def live(self, camera: str) -> AsyncIterator[bytes]:
        """Fragmented MP4, not re-encoded. Raises LookupError with the reason."""
        return self._capture(camera).live()

    def surveys(self, camera: str) -> Sequence[Survey]:
        """What is drawn for the camera now, for each of its presets."""
        self._seen(camera)
        return self.hub.surveys(camera)

    def use_survey(self, survey: Survey, reference: bytes, night: bytes = b"") -> None:
        """Judge by another version from now on. A survey of a camera that a reload will bring is kept for it."""
        self.hub.use_survey(survey, reference, night)

    def use_scores(self, scores: CameraScores) -> None:
        """Judge by another version of the camera's own scores from now on."""
        self.hub.use_scores(scores)

    def hook_cranes(self) -> Sequence[str]:
        """The cranes under whose hooks cameras look for people, each once."""
        asked = (seen.device.settings for driver in self._drivers for seen in driver.seen.values())
        return sorted({crane for each in asked if FindingKind.UNDER_HOOK in each.checks for crane in each.hook_cranes})

    def use_hooks(self, hooks: Sequence[HookPose]) -> None:
        """Take in where the cranes' hooks are now."""
        self.hub.use_hooks(hooks)

    def _seen(self, camera: str) -> tuple[CameraDriver, SeenCamera]:
        for driver in self._drivers:
            if camera in driver.seen:
                return driver, driver.seen[camera]
        raise KeyError(camera)

    def _capture(self, camera: str) -> CaptureHandle:
        driver, _ = self._seen(camera)
        if driver.capture is None:
            raise LookupError("the camera is just being started")
        return driver.capture

    def _state(self, driver: CameraDriver, seen: SeenCamera) -> CameraState:
        state = driver.capture.state() if driver.capture is not None else None
        report = state.report if state is not None else None
        settings = seen.device.settings
        zh, en = self._titles().get(settings.asset, (settings.asset, settings.asset))
        surveys = self.hub.surveys(seen.camera)
        turns = any(survey.preset for survey in surveys)
        values = seen.newest.values if seen.newest is not None else {}
        said, own = _said_of(seen), self.hub.scores(seen.camera)
        return CameraState(
            camera=seen.camera,
            asset=settings.asset,
            title_zh=zh,
            title_en=en,
            link=state.link if state is not None else CameraLink.CONNECTING,
            since_ns=state.since_ns if state is not None else 0,
            address=state.address if state is not None else "",
            codec=report.codec if report is not None else "",
            width_px=report.width_px if report is not None else 0,
            height_px=report.height_px if report is not None else 0,
            browser_video=state.browser_video if state is not None else False,
            why_not=report.no_video_reason if report is not None else "",
            frames_per_s=report.frames_per_s if report is not None else float("nan"),
            judged_per_s=float(values.get("judged_per_s", float("nan"))),
            ailing=tuple(str(ailment) for ailment in Ailment if values.get(str(ailment)) == 1.0),
            dangerous_works=settings.dangerous_works,
            model_version=str(said.get("model", "")),
            survey_version=max((survey.version for survey in surveys), default=0),
            not_shut_in=report.lacks if report is not None else "",
            last_error=seen.last_error or (state.last_error if state is not None else ""),
            presets=tuple(survey.preset for survey in surveys) if turns else (),
            preset=_preset_of(said) if turns else None,
            scores=str(said.get("scores", "")),
            own_scores=own.version if own is not None else 0,
            own_scores_used=own is not None and said.get("scores_version") == str(own.version),
            own_scores_undone=own is not None and not own.scores,
            scores_since_ns=own.made_at_ns if own is not None else 0,
        )


def _preset_of(said: Mapping[str, object]) -> str | None:
    """The preset at which the newest frame was taken; None: at none, or not known."""
    return str(said.get("preset", "")) if said.get("at_preset") == 1 else None


def _said_of(seen: SeenCamera) -> Mapping[str, object]:
    """What was said of the newest frame: the model that judged it, at which scores; empty while none does."""
    said = seen.newest.said if seen.newest is not None else b""
    return dict(json.loads(said)) if said else {}
